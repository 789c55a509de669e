"""The frame of every page: tabs, whether it is live, and the buttons by which people act."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from server.accounts.people import Person
from server.views.snapshot import Snapshot
from server.words.language import PageLanguage
from server.words.steps import CLOSING, SEEN

_ARRIVALS_MIN = (20, 40, 90)
_USUAL_MIN = 40


@dataclass(frozen=True, slots=True)
class IconText:
    """A line of text with the icon before it (a name, or none)."""

    text: str | Markup
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Tab:
    """One entry of the navigation; ``icon`` is also its name."""

    id: str
    href: str
    text: str
    wide_only: bool = False


@dataclass(frozen=True, slots=True)
class Freshness:
    """Whether the figures are live, at the top of every page; ``is_aged``: the text has an age."""

    text: str | Markup
    is_live: bool
    is_aged: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """A choice in a form."""

    value: str
    text: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Button:
    """A form with one button; ``field`` and ``value`` go with it where the act needs one."""

    act: str
    text: str
    field: str = ""
    value: str = ""
    style: str = ""


def tabs(language: PageLanguage, person: Person) -> list[Tab]:
    """The pages that this person may open."""
    first = language.text("Overview") if person.coordinates else language.text("Now")
    own = [Tab("now", "/", first), Tab("incidents", "/incidents", language.text("Incidents"))]
    if person.coordinates:
        own.append(Tab("devices", "/devices", language.text("Devices")))
        own.append(Tab("people", "/people", language.text("People"), wide_only=True))
    return [*own, Tab("more", "/more", language.text("More"))]


def freshness(language: PageLanguage, snapshot: Snapshot) -> Freshness:
    """Live with the age of the newest message, not live, or nothing to follow yet."""
    fresh = snapshot.fresh
    if not snapshot.tanks or not fresh.started:
        return Freshness(language.text("No sensors yet"), is_live=False)
    if not fresh.live:
        return Freshness(language.text("Not live"), is_live=False)
    if fresh.received is None:
        return Freshness(language.text("Live"), is_live=True)
    age = language.aged(fresh.received, snapshot.now)
    return Freshness(language.rich("Live, {age}", age=age), is_live=True, is_aged=True)


def role(language: PageLanguage, person: Person) -> str:
    """The person's role."""
    return language.text("Coordinator") if person.coordinates else language.text("Volunteer")


def going(language: PageLanguage, water: bool) -> str:
    """The button of a claim: with water, or to find out what happened."""
    return language.text("I’m going") if water else language.text("I’ll go and look")


def arrivals(language: PageLanguage) -> list[Option]:
    """The choices of an arrival, in minutes."""
    return [Option(str(n), language.lasting(n * 60), n == _USUAL_MIN) for n in _ARRIVALS_MIN]


def closing(language: PageLanguage, water: bool, urgent: bool) -> list[Option]:
    """Why an incident of this kind can be over."""
    own: Sequence[str] = ("repaired",)
    if water:
        own = ("refilled",)
    elif urgent:
        own = ("found", "moved_by_us", "repaired")
    return [Option(why, language.text(CLOSING[why])) for why in (*own, "mistaken", "other")]


def answers(language: PageLanguage, mine: bool) -> list[Button]:
    """What can be answered to a request to close an incident: of mine, only that I take it back."""
    if mine:
        return [Button("keep-open", language.text("Undo: it is not over"))]
    return [
        Button("agree", language.text("Yes, it is over"), style="main"),
        Button("keep-open", language.text("No, keep it open")),
    ]


def sightings(language: PageLanguage) -> list[Button]:
    """The reports of a person at the tank."""
    seen = ("there", "gone", "damaged", "blocked")
    return [Button("see", language.text(SEEN[value]), "seen", value) for value in seen]

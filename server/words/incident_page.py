"""An incident's own page, and the list of incidents, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gateway.alerts.closing import Request
from gateway.domain.outputs import WATER_KINDS
from server.accounts.people import Person
from server.views.incident import Incident, Step
from server.views.snapshot import Snapshot, TankView
from server.words import causes as cause_words
from server.words import incident as words
from server.words import steps as step_words
from server.words import tank as tank_words
from server.words.causes import Cause, Ground
from server.words.language import PageLanguage
from server.words.page import Button, Option, answers, arrivals, closing, going, sightings
from server.words.steps import Line
from server.words.tank import Card

_NOBODY_GOES = ("network_out", "silent", "battery", "sensor_fault")


@dataclass(frozen=True, slots=True)
class Head:
    """The block on top: what it is, what happened, who goes.

    ``style`` is the block's class; ``card`` is drawn instead of the icon where there is one.
    """

    heading: str
    word: str
    icon: str
    card: Card | None
    style: str
    what: Markup
    notes: list[str]
    who: str
    claimed: bool
    back: Option
    """Where the page leads back to: a tank or all tanks."""


@dataclass(frozen=True, slots=True)
class Acts:
    """What this person can do now; what does not apply is empty."""

    go: str
    arrivals: list[Option]
    buttons: list[Button]
    colleagues: list[Option]
    sightings: list[Button]
    reasons: list[Option]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The grounds of one basis: measured, witnessed or inferred."""

    basis: str
    icon: str
    title: str
    source: str
    grounds: list[Ground]


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """Everything that the page of one incident shows."""

    id: str
    head: Head
    acts: Acts
    causes: list[Cause]
    change: str
    evidence: list[Evidence]
    judged: bool
    now: str
    """How long it has been open and who goes, as the newest line of its history."""
    steps: list[Line]
    near_title: str
    near: list[Markup]
    """The other tanks with a figure, each with its link."""


@dataclass(frozen=True, slots=True)
class ListLine:
    """One incident in the list."""

    id: str
    icon: str
    heading: str
    when: str | Markup
    who: str
    urgent: bool


def page(
    language: PageLanguage, snapshot: Snapshot, incident: Incident, steps: Sequence[Step],
    me: Person, colleagues: Sequence[Person],
) -> IncidentPage:  # fmt: skip
    """One incident as ``me`` sees it; ``colleagues`` can go instead."""
    view, now = snapshot.tank(incident.tank or ""), snapshot.now
    water, judged = incident.kind in WATER_KINDS, cause_words.is_judged(incident)
    near, change = _near(language, snapshot, incident, view), ""
    if view and not water:
        change = language.text(
            "It would change: if the sensor speaks again, if somebody sees the tank, "
            "or if a planned move is entered."
        )
    person = snapshot.person(incident.claimed_by)
    who = words.who(language, incident, person, now)
    if view is not None and _is_shown(view, incident):
        who = tank_words.who(language, view, incident, person, now)
    request = incident.request if incident.is_open else None
    request = request if request is not None and request.waits(now) else None
    open_for = ""
    if incident.is_open:
        open_for = language.text("Open for {time}.", time=language.lasting(now - incident.opened))
        open_for += f" {who}" if words.KINDS[incident.kind].tone else ""
    return IncidentPage(
        id=incident.id, head=_head(language, snapshot, incident, view, who, len(near), request),
        acts=_acts(language, incident, view, me, colleagues, request), judged=judged, change=change,
        causes=cause_words.causes(language, incident) if judged else [],
        evidence=_evidence(language, incident, now, judged, view), now=open_for,
        steps=step_words.lines(language, steps, snapshot),
        near_title=language.text("Near here") if view else language.text("Behind this network"),
        near=[_near_line(language, card) for card in near if card.litres],
    )  # fmt: skip


def _head(
    language: PageLanguage, snapshot: Snapshot, incident: Incident, view: TankView | None,
    who: str, near: int, request: Request | None,
) -> Head:  # fmt: skip
    kind, now, name = words.KINDS[incident.kind], snapshot.now, subject(snapshot, incident)
    urgent = bool(kind.tone) and incident.is_open
    claimed = urgent and incident.claimed_by is not None
    what, notes = words.what(language, incident, now), list[str]()
    word, icon = words.word(language, incident, now), kind.icon
    card = tank_words.card(language, snapshot, view) if view and urgent else None
    if view is not None and card is not None and _is_shown(view, incident):
        what = tank_words.situation(language, view, now)
        if view.is_filling and card.status is not None:
            word, icon, claimed = str(card.status.text), card.status.icon, True
    if incident.is_open and incident.kind == "network_out":
        what += " " + words.network_note(language, near)
    if incident.is_open and incident.learned_late:
        notes.append(language.text("We learned of it late."))
    if request is not None:
        notes.append(step_words.asked(language, snapshot, request))
    style = f"block page-head {kind.tone}" if urgent else "band-head"
    return Head(
        heading=words.heading(language, incident, name, name),
        word=word, icon=icon, card=card,
        style=f"{style} claimed" if claimed else style, what=what, notes=notes, claimed=claimed,
        who=who if urgent else words.closed(language, incident, now),
        back=Option(f"/tanks/{view.tank.id}", view.name) if view
        else Option("/", language.text("All tanks")),
    )  # fmt: skip


def _is_shown(view: TankView, incident: Incident) -> bool:
    """Whether this incident is the one that the tank's own page shows: its newest level counts."""
    return view.incident is not None and view.incident.id == incident.id and view.live


def _acts(
    language: PageLanguage, incident: Incident, view: TankView | None, me: Person,
    colleagues: Sequence[Person], request: Request | None,
) -> Acts:  # fmt: skip
    water, urgent = incident.kind in WATER_KINDS, bool(words.KINDS[incident.kind].tone)
    buttons, others, free = list[Button](), list[Option](), False
    if not incident.is_open:
        return Acts("", [], buttons, others, [], [])
    if request is not None:
        buttons = answers(language, request.by == me.id)
    elif urgent and incident.claimed_by is None:
        free = True
        buttons = [
            Button("close", language.text("Already refilled"), "why", "refilled") if water
            else Button("close", language.text("We moved it"), "why", "moved_by_us")
        ]  # fmt: skip
    elif urgent and incident.claimed_by == me.id:
        buttons = [Button("release", language.text("Undo: I’m not going"))]
        if water:
            text = language.text("It is refilled")
            buttons.append(Button("close", text, "why", "refilled", "main"))
    if urgent and incident.claimed_by == me.id:
        others = [Option(person.id, person.name) for person in colleagues]
    elif urgent and me.coordinates and incident.claimed_by is not None:
        others = [Option(person.id, person.name) for person in (me, *colleagues)]
    return Acts(
        go=going(language, water) if free else "", arrivals=arrivals(language), buttons=buttons,
        colleagues=others,
        reasons=closing(language, water, urgent) if request is None else [],
        sightings=sightings(language) if view and urgent and not water else [],
    )  # fmt: skip


def _evidence(
    language: PageLanguage, incident: Incident, now: float, judged: bool, view: TankView | None
) -> list[Evidence]:
    """The grounds by their basis; witnesses have a place of their own even before one came."""
    grounds = cause_words.grounds(language, incident.because, now)
    bases = (
        ("measured", "measured", language.text("Measured"), language.text("by the sensor")),
        ("witnessed", "eye", language.text("Witnessed"), language.text("by somebody there")),
        ("inferred", "inferred", language.text("Inferred"), language.text("worked out by Noria")),
    )
    found = [Evidence(*b, [g for g in grounds if g.basis == b[0]]) for b in bases]
    awaited = "witnessed" if judged and view else ""
    return [e for e in found if e.grounds or e.basis == awaited] if grounds else []


def _near(
    language: PageLanguage, snapshot: Snapshot, incident: Incident, view: TankView | None
) -> list[Card]:
    """The other tanks of the site, or the tanks behind the network."""
    if view is None:
        views = snapshot.behind(incident.uplink or "")
    else:
        views = [v for v in snapshot.at_site(view.tank.site) if v.tank.id != view.tank.id]
    return [tank_words.card(language, snapshot, v) for v in views]


def _near_line(language: PageLanguage, card: Card) -> Markup:
    return language.rich(
        "{tank}: {about} {litres}, {age}.",
        tank=Markup('<a href="{}">{}</a>').format(card.href, card.name), about=card.lead,
        litres=card.litres, age=card.age,
    )  # fmt: skip


def subject(snapshot: Snapshot, incident: Incident) -> str:
    """The name of the tank, or of the sites behind an uplink."""
    view = snapshot.tank(incident.tank or "")
    if view is not None:
        return view.name
    sites = {v.tank.site for v in snapshot.behind(incident.uplink or "")}
    names = [(s.name or s.id) for s in (snapshot.registry.site(n) for n in sorted(sites)) if s]
    return ", ".join(names) or incident.tank or incident.uplink or "-"


def open_lines(language: PageLanguage, snapshot: Snapshot) -> list[ListLine]:
    """The open incidents, the most urgent first."""
    ordered = sorted(snapshot.incidents, key=lambda i: (words.urgency(i), i.at))
    return [_open_line(language, snapshot, incident) for incident in ordered]


def _open_line(language: PageLanguage, snapshot: Snapshot, incident: Incident) -> ListLine:
    name, now, who = subject(snapshot, incident), snapshot.now, ""
    if incident.kind not in _NOBODY_GOES:
        who = words.who(language, incident, snapshot.person(incident.claimed_by), now)
    moment, age = language.moment(incident.at, now), language.aged(incident.at, now)
    return ListLine(
        incident.id, words.KINDS[incident.kind].icon,
        words.heading(language, incident, name, name), Markup("{}, {}").format(moment, age), who,
        urgent=incident.claimed_by is None,
    )  # fmt: skip


def past_lines(
    language: PageLanguage, snapshot: Snapshot, incidents: Sequence[Incident]
) -> list[ListLine]:
    """Closed incidents, in the given order."""
    return [_past_line(language, snapshot, incident) for incident in incidents]


def _past_line(language: PageLanguage, snapshot: Snapshot, incident: Incident) -> ListLine:
    kind, now = words.KINDS[incident.kind], snapshot.now
    word = language.text(kind.short)
    heading = language.labelled(subject(snapshot, incident), word[:1].lower() + word[1:])
    when = f"{language.moment(incident.at, now)}. {words.closed(language, incident, now)}"
    return ListLine(incident.id, kind.icon, heading, when, "", urgent=False)

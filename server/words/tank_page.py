"""A tank's own page in words: its figure, what comes next, its ranges and limits."""

from dataclasses import dataclass
from math import ceil

from markupsafe import Markup

from server.views import picture
from server.views.picture import Large
from server.views.snapshot import TankView
from server.words import tank as words
from server.words.language import PageLanguage
from server.words.page import Button, Option, arrivals, going
from server.words.tank import Card

_SIGMAS_80_PCT = 1.28
_DAY_H = 24


@dataclass(frozen=True, slots=True)
class Urgent:
    """The block on top of a page whose tank needs somebody, and what this person can do."""

    id: str
    situation: Markup
    who: str
    claimed: bool
    go: str
    arrivals: list[Option]
    button: Button | None
    details: str
    """The link to the incident; empty where a button is there instead."""


@dataclass(frozen=True, slots=True)
class Level:
    """The level in words; lines that do not apply are empty."""

    lead: str
    litres: str
    share: str
    doubt: str
    measured: Markup | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """One moment that is expected."""

    icon: str
    what: str
    when: str


def urgent(
    language: PageLanguage, view: TankView, who: str | None, me: str, now: float
) -> Urgent | None:
    """What happened and who goes; None when nobody is needed. ``me``: the visitor's id."""
    incident, water = view.incident, not view.is_disturbed
    if incident is None:
        return None
    button, details = None, language.text("Details")
    if view.is_filling:
        pass
    elif incident.claimed_by == me:
        button = Button("release", language.text("I’m not going"))
    elif incident.claimed_by is None and water:
        text = language.text("Already refilled")
        button, details = Button("close", text, "why", "refilled"), ""
    elif incident.claimed_by is None:
        details = language.text("What we know")
    return Urgent(
        id=incident.id, situation=words.situation(language, view, now),
        who=words.who(language, view, incident, who, now),
        claimed=incident.claimed_by is not None or view.is_filling, go=going(language, water),
        arrivals=arrivals(language), button=button, details=details,
    )  # fmt: skip


def level(language: PageLanguage, view: TankView, card: Card, now: float) -> Level:
    """The figure beside the large drawing."""
    tank, known, is_empty = view.tank, view.now, view.now.state == "empty"
    litres, share, doubt = card.litres, "", ""
    if view.seen and is_empty:
        share = language.text("below the tap")
        if tank.empty_l >= 10:
            litres = language.litres(tank.empty_l)
    elif view.seen:
        whole = language.quantity(tank.capacity_l, "L")
        share = card.share
        if tank.kind == "tank":
            share = language.text("{share} of {all}", share=card.share, all=whole)
    if view.seen and known.sd_l:
        range_l = max(ceil(known.sd_l * _SIGMAS_80_PCT / 5) * 5, 5)
        doubt = language.text("give or take {litres}", litres=language.quantity(range_l, "L"))
    return Level(card.lead, litres, share, doubt, _measured(language, view, card, now))


def _measured(language: PageLanguage, view: TankView, card: Card, now: float) -> Markup | None:
    if view.now.at is None:
        return None
    time = language.moment(view.now.at, now)
    text = language.rich("Measured at {time}, {age}.", time=time, age=card.age)
    if card.trend is None:
        return text
    return text + " " + _trend(language, card.trend.icon, str(card.trend.text))


def _trend(language: PageLanguage, icon: str, rate: str) -> str:
    if icon in ("falling", "fast"):
        return language.text("Falling by {rate}.", rate=rate)
    if icon == "rising":
        return language.text("Rising by {rate}.", rate=rate)
    return language.text("Steady.")


def forecasts(language: PageLanguage, view: TankView, now: float) -> list[Forecast]:
    """When the tank will be low and empty, while its level can be seen."""
    known, found = view.now, list[Forecast]()
    if not view.seen or known.state == "empty":
        return found
    if known.low_at and known.state == "ok":
        when = language.window(known.low_at, now)
        found.append(Forecast("low", language.text("Low"), when))
    if known.empty_at:
        when = language.window(known.empty_at, now)
        found.append(Forecast("empty", language.text("Empty"), when))
    return found


def basis(language: PageLanguage, view: TankView) -> str:
    """What the forecasts follow from: days that were measured, or assumptions."""
    inside = language.text("8 times in 10 it falls inside these hours.")
    if view.now.known_h >= _DAY_H:
        source = language.text("Reckoned from the last days at this time of day.")
    elif view.now.known_h:
        source = language.plural(
            "Only {n} hour of use is known here: the rest is assumed.",
            "Only {n} hours of use are known here: the rest is assumed.",
            view.now.known_h,
        )
    else:
        source = language.text("No use is known here yet: it is assumed.")
    return f"{inside} {source}"


def drawing(language: PageLanguage, view: TankView) -> Large:
    """The large drawing with its thresholds named."""
    low, critical = limits_l(view)
    return picture.large(view, (
        (low, language.text("low {n}", n=language.number(low))),
        (critical, language.text("critical {n}", n=language.number(critical))),
    ))  # fmt: skip


def limits_l(view: TankView) -> tuple[float, float]:
    """The litres at which a tank is low, and critical."""
    tank = view.tank
    return tank.capacity_l * tank.low_pct / 100, tank.capacity_l * tank.critical_pct / 100

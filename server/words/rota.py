"""The rota in words: who is on shift, a week of turns and gaps, and the weekly shifts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.domain.dispatch.rota import Shift, Turn
from gateway.domain.registry import Registry
from server.accounts.people import Person
from server.views import rota as view
from server.views.rota import NOBODY, Rota
from server.words.language import PageLanguage
from server.words.page import Option

_DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class TurnLine:
    """One turn of a day; ``acts``: what this person can do with it."""

    id: str
    shift: str
    day: str
    time: str
    who: str
    where: str
    had: str
    is_mine: bool
    is_open: bool
    is_now: bool
    acts: Collection[str]

    @property
    def has_choices(self) -> bool:
        """Whether there is anything beside one button."""
        return "leave" in self.acts or "give" in self.acts


@dataclass(frozen=True, slots=True)
class DayColumn:
    """One day of the week."""

    id: str
    name: str
    is_today: bool
    turns: Sequence[TurnLine]
    gaps: Sequence[str]


@dataclass(frozen=True, slots=True)
class ShiftLine:
    """One weekly shift, for coordinators."""

    id: str
    who: str
    text: str
    until: str


@dataclass(frozen=True, slots=True)
class RemovedShift:
    """What it takes to add a removed shift again."""

    text: str
    shift: Shift
    days: Sequence[int]
    start: str
    hours: str
    site: str
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class ShiftForm:
    """The choices of a new shift."""

    people: Sequence[Option]
    days: Sequence[Option]
    sites: Sequence[Option]
    since: str


def heading(language: PageLanguage, rota: Rota, now: float) -> str:
    """Who is on shift now."""
    names = [rota.names.get(t.person, "") for t in on_now(rota, now)]
    different = list(dict.fromkeys(names))
    if not rota.shifts:
        return language.text("No shifts yet")
    if not different:
        return language.text("Nobody is on shift now")
    if len(different) == 1:
        return language.text("{name} is on shift now", name=different[0])
    return language.plural(
        "{n} person is on shift now", "{n} people are on shift now", len(different)
    )


def on_now(rota: Rota, now: float) -> list[Turn]:
    """The turns that somebody has at this moment."""
    return [t for t in rota.turns if t.start <= now < t.end and t.person != NOBODY]


def now_lines(language: PageLanguage, rota: Rota, registry: Registry, now: float) -> list[str]:
    """Who is on shift until when, and where."""
    return [
        language.text(
            "{name} until {time}, {site}",
            name=rota.names.get(turn.person, ""), time=language.moment(turn.end, now),
            site=site_name(language, registry, turn.site),
        )
        for turn in on_now(rota, now)
    ]  # fmt: skip


def site_name(language: PageLanguage, registry: Registry, site: str | None) -> str:
    """A site's name; of None: every site."""
    if site is None:
        return language.text("every site")
    row = registry.site(site)
    return (row.name or site) if row else site


def week_name(language: PageLanguage, first: date) -> str:
    """``Week of 23 Nov``."""
    at = view.midnight(first, language.zone)
    return language.text("Week of {day}", day=language.date(at, "d MMM"))


def days(
    language: PageLanguage, rota: Rota, registry: Registry, first: date, me: Person, now: float
) -> list[DayColumn]:
    """Seven days from ``first``."""
    return [
        _day(language, rota, registry, first + timedelta(days=n), me, now) for n in range(7)
    ]  # fmt: skip


def _day(
    language: PageLanguage, rota: Rota, registry: Registry, day: date, me: Person, now: float
) -> DayColumn:
    start = view.midnight(day, language.zone)
    end = view.midnight(day + timedelta(days=1), language.zone)
    turns = [_turn(language, rota, registry, t, me, now) for t in rota.turns if t.day == day]
    sites = registry.sites or {"": ()}
    gaps = view.gaps(rota.turns, sites, max(start, now), end) if rota.shifts else []
    return DayColumn(
        f"day-{day.isoformat()}", language.date(start, "EEE d MMM"), start <= now < end, turns,
        [_gap(language, registry, gap, len(sites), end) for gap in gaps],
    )  # fmt: skip


def _gap(
    language: PageLanguage, registry: Registry, gap: view.Gap, sites: int, midnight: float
) -> str:
    last = "24:00" if language.code != "fr" else "24\u00a0h\u00a000"
    until = language.clock(gap.end) if gap.end < midnight else last
    time = f"{language.clock(gap.start)}–{until}"
    if len(gap.sites) == sites:
        return language.text("{time}: nobody", time=time)
    names = ", ".join(site_name(language, registry, site) for site in gap.sites)
    return language.text("{time}: nobody for {sites}", time=time, sites=names)


def _turn(
    language: PageLanguage, rota: Rota, registry: Registry, turn: Turn, me: Person, now: float
) -> TurnLine:
    is_open, is_mine = turn.person == NOBODY, turn.person == me.id
    acts: set[str] = set()
    if turn.end > now:
        if is_mine:
            acts.add("leave")
        if is_mine or me.coordinates:
            acts.add("give")
        by = rota.changed_by.get((turn.shift, turn.day))
        if is_open and by != me.id:
            acts.add("take")
        if by == me.id or (by is not None and me.coordinates):
            acts.add("undo")
    who = language.text("Nobody yet") if is_open else rota.names.get(turn.person, "")
    day = turn.day.isoformat()
    return TurnLine(
        id=f"turn-{turn.shift}-{day}", shift=turn.shift, day=day,
        time=f"{language.clock(turn.start)}–{language.clock(turn.end)}", who=who,
        where="" if turn.site is None else site_name(language, registry, turn.site),
        had=turn.person, is_mine=is_mine, is_open=is_open,
        is_now=turn.start <= now < turn.end, acts=acts,
    )  # fmt: skip


def shift_lines(language: PageLanguage, rota: Rota, registry: Registry) -> list[ShiftLine]:
    """The weekly shifts in order."""
    return [
        ShiftLine(
            one.id, _name(language, rota, one.person), describe(language, registry, one),
            one.until.isoformat() if one.until else "",
        )
        for one in sorted(rota.shifts, key=lambda s: (min(s.weekdays, default=7), s.start, s.id))
    ]  # fmt: skip


def _name(language: PageLanguage, rota: Rota, person: str) -> str:
    name = rota.names.get(person, "")
    return language.text("{name} (account closed)", name=name) if person in rota.closed else name


def describe(language: PageLanguage, registry: Registry, one: Shift) -> str:
    """``Mon, Tue 18:00, 4 h, Canal, from 1 Dec, until 31 Dec``."""
    zone = language.zone
    at = view.midnight(one.since, zone)
    parts = [
        f"{', '.join(_weekday(language, n, 'EEE') for n in sorted(one.weekdays))} "
        f"{_clock(language, one.start)}",
        language.lasting(one.minutes * 60.0),
        site_name(language, registry, one.site),
        language.text("from {day}", day=language.date(at, "d MMM")),
    ]
    if one.until is not None:
        last = language.date(view.midnight(one.until, zone), "d MMM")
        parts.append(language.text("until {day}", day=last))
    return ", ".join(parts)


def _clock(language: PageLanguage, minute: int) -> str:
    """A time of day, on a day whose clock is not changed."""
    return language.clock(view.midnight(date(2024, 1, 1), language.zone) + minute * 60.0)


def _weekday(language: PageLanguage, n: int, pattern: str) -> str:
    monday = view.midnight(date(2024, 1, 1), language.zone)
    return language.date(monday + n * _DAY_S, pattern)


def removed(
    language: PageLanguage, rota: Rota, registry: Registry, one: Shift
) -> RemovedShift:  # fmt: skip
    """What was removed, and how to add it again."""
    who, what = rota.names.get(one.person, ""), describe(language, registry, one)
    return RemovedShift(
        language.text("Removed: {name}, {shift}.", name=who, shift=what), one,
        sorted(one.weekdays), f"{one.start // 60:02}:{one.start % 60:02}", f"{one.minutes / 60:g}",
        one.site or "", one.since.isoformat(), one.until.isoformat() if one.until else "",
    )  # fmt: skip


def form(
    language: PageLanguage, registry: Registry, people: Sequence[Person], now: float
) -> ShiftForm:
    """The form of a new shift."""
    sites = [Option(id, site_name(language, registry, id)) for id in sorted(registry.sites)]
    return ShiftForm(
        people=[Option(one.id, one.name) for one in people if not one.disabled],
        days=[Option(str(n), _weekday(language, n, "EEE")) for n in range(7)],
        sites=[Option("", site_name(language, registry, None)), *sites],
        since=language.local(now).date().isoformat(),
    )  # fmt: skip


def others(people: Sequence[Person]) -> list[Option]:
    """Everybody to whom a turn can be given."""
    return [Option(one.id, one.name) for one in people if not one.disabled]


@dataclass(frozen=True, slots=True)
class CalendarLinks:
    """The addresses of the reader's own shifts and of everybody's."""

    mine: str
    all: str


def links(public_url: str, token: str) -> CalendarLinks | None:
    """What is shown once; None without a new token. Without a public URL they are paths."""
    if not token:
        return None
    mine = f"{public_url.rstrip('/')}/rota/{token}.ics"
    return CalendarLinks(mine, f"{mine}?all=1")

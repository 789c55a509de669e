"""The rota's pages: gaps, what a person can do with a turn, snoozes, and the calendar feed."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.dispatch import rota
from gateway.domain.dispatch.rota import Shift, Turn
from gateway.domain.registry import Registry, Site
from server.accounts.people import Person
from server.views import icalendar
from server.views import rota as view
from server.views.icalendar import CalendarEvent
from server.views.rota import NOBODY, Gap, Rota
from server.words import calendar_feed, snooze
from server.words import rota as words
from server.words.language import PageLanguage

PARIS = ZoneInfo("Europe/Paris")
EN, FR = PageLanguage("en", PARIS.key), PageLanguage("fr", PARIS.key)
ME = Person("me", "Van 1", "van-1", "volunteer")
SAM = Person("sam", "Sam", "sam", "coordinator")
MONDAY = date(2026, 11, 23)
SITES = Registry({s: (Site(s, "", name=s.title()),) for s in ("canal", "dunes")}, {}, {})


def at(day: date, hour: int, minute: int = 0) -> float:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=PARIS).timestamp()


def evening(person: str = "me", site: str | None = None, day: date = MONDAY) -> Turn:
    return Turn(at(day, 18), at(day, 22), person, site, "shift1", day)


def weekly(**more: object) -> Shift:
    base = Shift("shift1", "me", frozenset({0, 2}), 18 * 60, 240, MONDAY)
    return replace(base, **more)  # pyright: ignore[reportArgumentType] - fields of Shift


def a_rota(*turns: Turn, changed: str = "") -> Rota:
    by = {("shift1", MONDAY): changed} if changed else {}
    names = {"me": "Van 1", "sam": "Sam", "old": "Old"}
    return Rota((weekly(),), turns, by, names, frozenset({"old"}))


def test_hours_without_anybody_are_gaps_of_the_sites_that_share_them() -> None:
    turns = [evening(), evening(site="canal", person="sam")._replace(end=at(MONDAY, 23))]
    found = view.gaps(turns, ["dunes", "canal"], at(MONDAY, 0), at(MONDAY, 24 - 1, 30))
    both, late, later = found
    assert both == Gap(at(MONDAY, 0), at(MONDAY, 18), ("canal", "dunes"))
    assert late == Gap(at(MONDAY, 22), at(MONDAY, 23, 30), ("dunes",))
    assert later == Gap(at(MONDAY, 23), at(MONDAY, 23, 30), ("canal",))


def test_a_turn_that_nobody_has_closes_no_gap() -> None:
    start, end = at(MONDAY, 18), at(MONDAY, 22)
    assert view.gaps([evening()], ["canal"], start, end) == []
    assert view.gaps([evening(NOBODY)], ["canal"], start, end) == [Gap(start, end, ("canal",))]
    assert view.gaps([evening(site="dunes")], ["canal"], start, end) != []


@pytest.mark.parametrize(
    ("turn", "person", "changed", "acts"),
    [
        (evening(), ME, "", {"leave", "give"}),
        (evening("sam"), ME, "", set[str]()),
        (evening("me"), SAM, "", {"give"}),
        (evening(NOBODY), ME, "", {"take"}),
        (evening(NOBODY), ME, "me", {"undo"}),
        (evening(NOBODY), ME, "sam", {"take"}),
        (evening("sam"), ME, "me", {"undo"}),
        (evening(NOBODY), SAM, "me", {"take", "give", "undo"}),
    ],
)
def test_what_a_person_can_do_with_a_turn(
    turn: Turn, person: Person, changed: str, acts: set[str]
) -> None:
    for now, expected in ((at(MONDAY, 21, 59), acts), (at(MONDAY, 22), set[str]())):
        shown = words.days(EN, a_rota(turn, changed=changed), SITES, MONDAY, person, now)
        assert shown[0].turns[0].acts == expected


def test_a_day_shows_its_turns_and_the_gaps_that_are_to_come() -> None:
    now = at(MONDAY, 12)
    monday, *rest = words.days(EN, a_rota(evening(site="canal")), SITES, MONDAY, SAM, now)
    assert (monday.name, monday.is_today) == ("Mon 23 Nov", True)
    assert [(t.time, t.who, t.where) for t in monday.turns] == [("18:00–22:00", "Van 1", "Canal")]
    assert monday.gaps == [
        "12:00–18:00: nobody for Canal", "12:00–24:00: nobody for Dunes",
        "22:00–24:00: nobody for Canal",
    ]  # fmt: skip
    assert [day.gaps for day in rest] == [["00:00–24:00: nobody"]] * 6
    french = words.days(FR, a_rota(), SITES, MONDAY, SAM, now)[0]
    assert french.gaps == ["12\u00a0h\u00a000–24\u00a0h\u00a000\u00a0: personne"]


def test_the_heading_names_who_is_on_shift() -> None:
    now = at(MONDAY, 20)
    both = a_rota(evening(), evening("sam", "canal"))
    assert words.heading(EN, a_rota(evening()), now) == "Van 1 is on shift now"
    assert words.heading(EN, both, now) == "2 people are on shift now"
    assert words.heading(EN, a_rota(evening(NOBODY)), now) == "Nobody is on shift now"
    assert words.heading(EN, replace(a_rota(), shifts=()), now) == "No shifts yet"
    assert words.now_lines(EN, both, SITES, now)[1] == "Sam until 22:00, Canal"


def test_a_weekly_shift_in_words_and_once_more_to_add_it_again() -> None:
    ended = weekly(site="canal", until=date(2026, 12, 31), minutes=90)
    text = words.describe(EN, SITES, ended).replace("\u00a0", " ")
    assert text == "Mon, Wed 18:00, 1 h 30 min, Canal, from 23 Nov, until 31 Dec"
    again = words.removed(EN, a_rota(), SITES, ended)
    assert (again.days, again.start, again.hours) == ([0, 2], "18:00", "1.5")
    assert (again.site, again.since, again.until) == ("canal", "2026-11-23", "2026-12-31")
    lines = words.shift_lines(EN, replace(a_rota(), shifts=(weekly(person="old"),)), SITES)
    assert lines[0].who == "Old (account closed)"


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (at(MONDAY, 20), at(date(2026, 11, 24), 7)),
        (at(MONDAY, 3), at(MONDAY, 7)),
        (at(MONDAY, 5, 1), at(date(2026, 11, 24), 7)),  # under two hours is no morning
        (at(date(2026, 10, 24), 23), at(date(2026, 10, 25), 7)),  # the clock is put back
    ],
)
def test_a_snooze_ends_in_two_hours_or_in_the_morning(now: float, end: float) -> None:
    assert snooze.end_of("hours", now, PARIS) == now + 7200
    assert snooze.end_of("morning", now, PARIS) == end


# The feed is read back by a reader of its own: unfolding, unescaping, and the zone it has.


class ReadEvent(NamedTuple):
    uid: str
    start: float
    minutes: int
    summary: str


def lines_of(feed: bytes) -> list[str]:
    assert feed.endswith(b"\r\n")
    raw = feed.split(b"\r\n")[:-1]
    assert all(len(line) <= 75 for line in raw)
    assert not any(b"\r" in line or b"\n" in line for line in raw)
    return feed.decode().replace("\r\n ", "").split("\r\n")[:-1]


def text_of(value: str) -> str:
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] in "nN" else m[1], value)


def offsets(lines: list[str]) -> list[tuple[datetime, timedelta]]:
    """The onsets of the feed's zone, UTC, with the offset from then on."""
    found: list[tuple[datetime, timedelta]] = []
    for i, line in enumerate(lines):
        if line in ("BEGIN:STANDARD", "BEGIN:DAYLIGHT"):
            given = dict(one.split(":", 1) for one in lines[i + 1 : i + 5])
            before, after = (
                timedelta(hours=int(given[n][:3]), minutes=int(given[n][0] + given[n][3:]))
                for n in ("TZOFFSETFROM", "TZOFFSETTO")
            )
            onset = datetime.strptime(given["DTSTART"], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
            found.append((onset - before, after))
    return sorted(found)


def read(feed: bytes) -> list[ReadEvent]:
    lines = lines_of(feed)
    assert (lines[0], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    zone, found = offsets(lines), list[ReadEvent]()
    for i, line in enumerate(lines):
        if line == "BEGIN:VEVENT":
            end = lines.index("END:VEVENT", i)
            given = dict(one.split(":", 1) for one in lines[i + 1 : end])
            local = datetime.strptime(given["DTSTART;TZID=Europe/Paris"], "%Y%m%dT%H%M%S")
            # RFC 5545, 3.3.5: of a time that is shown twice, the first; one of the offsets holds.
            starts = [
                moment
                for onset, offset in zone
                if (moment := local.replace(tzinfo=UTC) - offset) >= onset
                and offset == [o for t, o in zone if t <= moment][-1]
            ]
            minutes = re.fullmatch(r"PT(\d+)M", given["DURATION"])
            assert minutes
            found.append(
                ReadEvent(
                    text_of(given["UID"]), min(starts).timestamp(), int(minutes[1]),
                    text_of(given["SUMMARY"]),
                )
            )  # fmt: skip
    return found


@pytest.mark.parametrize("day", [date(2026, 3, 28), date(2026, 10, 24), date(2026, 12, 24)])
def test_a_calendar_has_each_turn_at_its_time_also_over_a_change_of_the_clock(day: date) -> None:
    nightly = Shift("n", "me", frozenset(range(7)), 150, 600, day)  # 02:30, which may be skipped
    turns = rota.turns([nightly], {}, at(day, 0), at(day + timedelta(days=4), 0), PARIS)
    assert len(turns) >= 4
    events = calendar_feed.events(EN, turns, ME, everybody=False)
    found = read(icalendar.write("Noria", events, at(day, 0), PARIS))
    assert [(e.start, e.start + e.minutes * 60) for e in found] == [(t.start, t.end) for t in turns]
    assert len({e.uid for e in found}) == len(turns)


def test_any_text_survives_and_no_line_is_long_or_broken() -> None:
    odd = "a;b,c\\d\ne:" + "é漢🚰" * 30 + '"END:VEVENT'
    feed = icalendar.write(odd, [CalendarEvent("x", at(MONDAY, 18), 60, odd)], 0.0, PARIS)
    assert read(feed) == [ReadEvent("x", at(MONDAY, 18), 60, odd)]
    broken = icalendar.write("x", [CalendarEvent("x", 0.0, 60, "a\r\nEND:VEVENT\x00")], 0.0, PARIS)
    assert [e.summary for e in read(broken)] == ["a\nEND:VEVENT"]


def test_a_calendar_names_its_reader_alone_and_sites_by_their_code() -> None:
    turns = [evening(site="canal"), evening("sam", "canal"), evening(NOBODY)]
    mine = calendar_feed.events(EN, turns, ME, everybody=False)
    assert [e.summary for e in mine] == ["Shift of Van 1, canal"]
    every = calendar_feed.events(EN, turns, ME, everybody=True)
    assert [e.summary for e in every] == [
        "Shift of Van 1, canal", "Shift, canal", "Shift that nobody has yet",
    ]  # fmt: skip


def test_an_empty_calendar_and_a_zone_without_changes_can_be_read() -> None:
    assert read(icalendar.write("Noria", [], at(MONDAY, 0), PARIS)) == []
    zone = icalendar.write("Noria", [], at(MONDAY, 0), ZoneInfo("Asia/Kabul"))
    assert offsets(lines_of(zone))[0][1] == timedelta(hours=4, minutes=30)

"""Four weeks of alerts with a change of the clock and restarts at random, against a table.

Nothing is told twice and nothing is lost: each line of the table is one message, at its minute.
"""

import random
from datetime import datetime
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from gateway.alerts import claims
from gateway.alerts.tables import notice, shift, swap
from gateway.domain.outputs import IncidentKind
from tests.integration.alerted_group import Group, registered

PARIS = ZoneInfo("Europe/Paris")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


class Weeks:
    """A group, what happens to it by time, and what it was told."""

    def __init__(self, group: Group, seed: int) -> None:
        self.group = group
        self.random = random.Random(seed)
        self.happens: list[tuple[float, int, object]] = []
        self.told: list[str] = []
        self._order = count()

    def on(self, when: str, act: object) -> None:
        """Let something happen at a local time."""
        self.happens.append((at(when), next(self._order), act))

    def incident(self, name: str, when: str, kind: IncidentKind = "low", ends: str = "") -> None:
        begins = at(when)
        self.on(when, lambda: self.group.change(kind=kind, id=name, at=begins))
        if ends:
            closes = at(ends)
            self.on(ends, lambda: self.group.change(2, kind, True, closes, name))

    def claim(self, name: str, who: str, when: str, eta: str) -> None:
        self.on(when, lambda: self.group.go(who, at(when), at(eta), name))

    def release(self, name: str, who: str, when: str) -> None:
        def act() -> None:
            with self.group.engine.begin() as connection:
                assert claims.release(connection, name, self.group.ids[who], at(when))

        self.on(when, act)

    def run(self, until: str) -> None:
        """Let time pass to the next thing that happens or is due, again and again."""
        waiting = sorted(self.happens, reverse=True)
        now, end = waiting[-1][0], at(until)
        while now <= end:
            while waiting and waiting[-1][0] <= now:
                waiting.pop()[2]()  # type: ignore[operator]
            self._step(now)
            due = self.group.due()
            following = [t for t in (due, waiting[-1][0] if waiting else None) if t is not None]
            if not following:
                return
            now = max(min(following), now + 1e-3)

    def _step(self, now: float) -> None:
        if self.random.random() < 0.3:
            self.group.restart()
        for name in self.group.at(now):
            moment = datetime.fromtimestamp(now, PARIS).strftime("%d %b %H:%M")
            self.told.append(f"{moment} {name}")


@pytest.fixture
def weeks(tmp_path: Path, request: pytest.FixtureRequest) -> Weeks:
    engine = registered(tmp_path)
    request.addfinalizer(engine.dispose)
    group = Group(engine)
    for name in ("amy", "ben"):
        group.person(name)
    group.person("coco", "coordinator")
    group.person("dora")
    for name in ("coco", "dora"):
        group.hears(name, quiet_from=22 * 60, quiet_until=7 * 60, per_hour=2)
    return Weeks(group, request.param)


def shift_of(group: Group, name: str, weekdays: list[int], start: int, minutes: int) -> None:
    row = {"id": f"s-{name}", "account": group.ids[name], "weekdays": weekdays,
           "start": start, "minutes": minutes, "since": "2026-01-01"}  # fmt: skip
    with group.engine.begin() as connection:
        connection.execute(sa.insert(shift).values(**row))


def give(group: Group, whose: str, day: str, to: str | None) -> None:
    person = None if to is None else group.ids[to]
    with group.engine.begin() as connection:
        row = {"shift": f"s-{whose}", "day": day, "account": person}
        connection.execute(sa.insert(swap).values(**row))


def nothing_is_left(group: Group) -> None:
    for row in group.rows(notice):
        assert row.sent is not None or row.given_up is not None, row
    sent = [(r.incident, r.change_number, r.round, r.account) for r in group.rows(notice) if r.sent]
    assert len(sent) == len(set(sent))


@pytest.mark.parametrize("weeks", [1, 2], indirect=True)
def test_march(weeks: Weeks) -> None:
    group = weeks.group
    shift_of(group, "amy", [5, 6], 18 * 60, 480)  # Saturday and Sunday, eight hours from 18:00
    shift_of(group, "ben", [0, 1, 2, 3, 4], 8 * 60, 240)
    give(group, "ben", "2026-03-18", "dora")
    give(group, "ben", "2026-03-19", None)
    weeks.incident("a", "2026-03-09 09:00", ends="2026-03-09 10:10")
    weeks.claim("a", "ben", "2026-03-09 09:05", eta="2026-03-09 09:50")
    weeks.incident("b", "2026-03-18 09:00", ends="2026-03-18 09:10")
    weeks.incident("c", "2026-03-19 09:00", ends="2026-03-19 09:10")
    weeks.incident("d", "2026-03-21 23:00", ends="2026-03-21 23:40")
    weeks.incident("e", "2026-03-29 01:30", "empty", ends="2026-03-29 09:00")  # the night of
    weeks.incident("f", "2026-03-29 01:45", "seized", ends="2026-03-30 12:00")  # the change
    weeks.claim("f", "coco", "2026-03-29 03:30", eta="2026-03-29 04:00")
    weeks.incident("g", "2026-03-29 19:00", ends="2026-03-29 19:30")
    weeks.run("2026-04-06 00:00")
    assert weeks.told == [
        "09 Mar 09:00 ben", "09 Mar 10:10 ben",
        "18 Mar 09:00 dora", "18 Mar 09:10 dora",
        "19 Mar 09:00 amy", "19 Mar 09:00 ben", "19 Mar 09:00 coco", "19 Mar 09:00 dora",
        "19 Mar 09:10 amy", "19 Mar 09:10 ben", "19 Mar 09:10 coco", "19 Mar 09:10 dora",
        "21 Mar 23:00 amy", "21 Mar 23:20 ben", "21 Mar 23:40 amy", "21 Mar 23:40 ben",
        "29 Mar 01:30 amy", "29 Mar 01:40 ben",
        "29 Mar 01:45 amy", "29 Mar 01:45 coco",
        "29 Mar 01:55 ben", "29 Mar 01:55 dora",  # a theft knows no quiet hours
        "29 Mar 04:30 amy", "29 Mar 04:30 ben", "29 Mar 04:30 coco", "29 Mar 04:30 dora",
        "29 Mar 07:00 coco", "29 Mar 07:00 dora",
        "29 Mar 09:00 amy", "29 Mar 09:00 ben", "29 Mar 09:00 coco", "29 Mar 09:00 dora",
        "29 Mar 19:00 amy", "29 Mar 19:20 ben", "29 Mar 19:20 coco", "29 Mar 19:20 dora",
        "29 Mar 19:30 amy", "29 Mar 19:30 ben", "29 Mar 19:30 coco", "29 Mar 19:30 dora",
        "30 Mar 12:00 amy", "30 Mar 12:00 ben", "30 Mar 12:00 coco", "30 Mar 12:00 dora",
    ]  # fmt: skip
    nothing_is_left(group)


@pytest.mark.parametrize("weeks", [3, 4], indirect=True)
def test_october(weeks: Weeks) -> None:
    group = weeks.group
    shift_of(group, "amy", [5], 22 * 60, 480)  # until 05:00 after the clock was put back
    weeks.incident("a", "2026-10-25 04:30", ends="2026-10-25 04:45")
    weeks.incident("b", "2026-10-25 05:30", ends="2026-10-25 12:00")
    weeks.claim("b", "ben", "2026-10-25 05:40", eta="2026-10-25 08:00")
    weeks.release("b", "ben", "2026-10-25 06:00")
    for n, minute in enumerate(("14:00", "14:01", "14:02", "14:03", "14:04")):
        weeks.incident(f"f{n}", f"2026-11-01 {minute}")
    weeks.run("2026-11-02 00:00")
    assert weeks.told == [
        "25 Oct 04:30 amy", "25 Oct 04:45 amy",
        "25 Oct 05:30 amy", "25 Oct 05:30 ben", "25 Oct 06:00 amy", "25 Oct 06:00 ben",
        "25 Oct 07:00 coco", "25 Oct 07:00 dora",
        "25 Oct 12:00 amy", "25 Oct 12:00 ben", "25 Oct 12:00 coco", "25 Oct 12:00 dora",
        *(f"01 Nov 14:00 {name}" for name in ("amy", "ben", "coco", "dora")),
        *(f"01 Nov 14:01 {name}" for name in ("amy", "ben", "coco", "dora")),
        *(f"01 Nov 14:0{n} {name}" for n in (2, 3, 4) for name in ("amy", "ben")),
        "01 Nov 15:00 coco", "01 Nov 15:00 dora",  # three in one digest
    ]  # fmt: skip
    digest = group.mail.sent[-1][1]
    assert digest.startswith("3 messages were kept back:")
    nothing_is_left(group)

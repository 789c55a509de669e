"""Alerts to persons, from the watch's change to the service: who, when, and who next."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.alerts import claims, relevance
from gateway.alerts.channels import TransportError
from gateway.alerts.language import Language
from gateway.alerts.outbox import AlertWording
from gateway.alerts.people import contacts
from gateway.alerts.people.dispatch import PEOPLE, Dispatch
from gateway.alerts.people.keys import Key
from gateway.alerts.people.notices import NoticeDelivery
from gateway.alerts.people.tables import (
    NO_CONTACT,
    contact,
    dispatch,
    listening,
    notice,
    shift,
    snooze,
)
from gateway.alerts.relevance import ENDED, ENDED_UNTOLD, OVERTAKEN
from gateway.database.tables import account, incident_step, outbox
from gateway.domain.outputs import IncidentChange, IncidentKind
from gateway.domain.registry import Registry, Site, Tank
from gateway.projections.watch.rows import OutputContext, write_output
from gateway.registry import rows
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from tests.parts import database

NOW = 1795212000.0  # Friday 20 November 2026, 23:00 in Paris
MINUTE = 60.0
WORDING = AlertWording(Language("en", "Europe/Paris"), "https://noria.example")
KEY = Key(bytes(range(32)))


@dataclass
class Sink:
    """A service that keeps what it is given, and fails as told."""

    name: str
    sent: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    error: TransportError | None = None

    def send(self, address: str, text: str, title: str) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append((address, text))


@dataclass(frozen=True)
class Keys:
    key: Key | None

    def get(self) -> Key | None:
        return self.key


class Group:
    """A group with a mail and an SMS service, driven by hand."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.ids: dict[str, str] = {}
        self.mail, self.sms = Sink("mail"), Sink("sms")
        self.key: Key | None = KEY
        zone = WORDING.language.zone
        self.dispatch = Dispatch(engine, Clock(), zone, Wakeup(), ["mail", "sms"])

    def person(self, name: str, role: str = "volunteer", sms: bool = False) -> str:
        """Add a person with a verified mail address."""
        self.ids[name] = f"id-{name}"
        row = {"id": self.ids[name], "name": name, "login": name, "role": role, "created": NOW}
        with self.engine.begin() as connection:
            connection.execute(sa.insert(account).values(**row, password="-"))
            for service in ("mail", "sms")[: 2 if sms else 1]:
                given = contacts.add(connection, KEY, self.ids[name], service, f"{name}@x.org", NOW)
                contacts.verify(connection, KEY, self.ids[name], given[0].id, given[1], NOW)
        return self.ids[name]

    def hears(self, name: str, **values: object) -> None:
        """Choose what a person hears."""
        row = {"language": "en", "sites": [], "groups": ["water", "theft", "sensor"],
               "quiet_from": None, "quiet_until": None, "per_hour": 6}  # fmt: skip
        with self.engine.begin() as connection:
            connection.execute(sa.insert(listening).values(account=self.ids[name], **row | values))

    def on_shift(self, name: str, start: int = 0, minutes: int = 1440) -> None:
        row = {"id": f"s-{name}", "account": self.ids[name], "weekdays": [4, 5],
               "start": start, "minutes": minutes, "since": "2026-01-01"}  # fmt: skip
        with self.engine.begin() as connection:
            connection.execute(sa.insert(shift).values(**row))

    def change(
        self, number: int = 1, kind: IncidentKind = "low", closed: bool = False, at: float = NOW,
        id: str = "8f2k",
    ) -> None:  # fmt: skip
        """The watch writes a change of an incident at Canal 1."""
        what = "closed" if closed else "opened" if number == 1 else "updated"
        made = IncidentChange(
            id=id, change=what, change_number=number, at=at, received=at, tank="canal-1",
            uplink=None, kind=kind, probability=0.7, causes={"unknown": 1.0}, because=(),
            auth="mac", alert=True, figures={"volume_l": 940.0 if closed else 302.0},
        )  # fmt: skip
        with self.engine.begin() as connection:
            write_output(connection, [made], [], OutputContext([PEOPLE], {"canal-1": "rid"}))

    def go(self, name: str, at: float, eta: float | None = None, incident: str = "8f2k") -> None:
        with self.engine.begin() as connection:
            assert claims.claim(connection, incident, self.ids[name], at, eta)

    def at(self, now: float) -> list[str]:
        """Decide and send what is due at ``now``; returns the names of those who were sent one."""
        self.dispatch.decide_due(now)
        before = len(self.mail.sent), len(self.sms.sent)
        for sink in (self.mail, self.sms):
            NoticeDelivery(self.engine, sink, Keys(self.key), Clock(), WORDING).deliver_due(now)
        new = self.mail.sent[before[0] :] + self.sms.sent[before[1] :]
        return sorted(address.partition("@")[0] for address, _ in new)

    def rows(self, table: sa.Table) -> list[sa.Row[Any]]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.select(table).order_by(table.c[0])).all())


@pytest.fixture
def group(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Group]:
    if "each_database" in request.fixturenames:
        request.getfixturevalue("each_database")  # before the database is opened
    engine = database.opened(tmp_path)
    watched = Registry(
        sites={"north": (Site("north", ""),)},
        tanks={"canal-1": (Tank("canal-1", "", "north", name="Canal 1", sensor_height_mm=1100),)},
    )
    with engine.begin() as connection:
        rows.put(connection, watched, NOW)
    yield Group(engine)
    engine.dispose()


@pytest.mark.usefixtures("each_database")
def test_who_is_on_shift_hears_then_the_site_then_nobody_twice(group: Group) -> None:
    for name in ("amy", "ben"):
        group.person(name)
    group.person("coco", "coordinator")
    group.on_shift("amy")
    group.change()
    assert group.at(NOW) == ["amy"]
    assert group.at(NOW + 19 * MINUTE) == []
    assert group.at(NOW + 20 * MINUTE) == ["ben", "coco"]
    assert group.at(NOW + 40 * MINUTE) == []
    assert group.at(NOW + 900 * MINUTE) == []
    address, text = group.mail.sent[0]
    assert address == "amy@x.org"
    assert text.startswith("Low: Canal 1")
    assert "Nobody is going yet." in text


@pytest.mark.usefixtures("each_database")
def test_a_claim_stops_it_and_its_lapse_tells_everybody(group: Group) -> None:
    for name in ("amy", "ben"):
        group.person(name)
    group.on_shift("amy")
    group.change()
    assert group.at(NOW) == ["amy"]
    group.go("amy", NOW + 5 * MINUTE, eta=NOW + 45 * MINUTE)
    assert group.at(NOW + 6 * MINUTE) == []
    assert group.at(NOW + 74 * MINUTE) == []
    assert group.at(NOW + 75 * MINUTE) == ["amy", "ben"]
    assert "Nobody is going yet." in group.mail.sent[-1][1]
    assert [row.what for row in group.rows(incident_step)].count("lapsed") == 1


def test_an_arrival_that_is_put_off_holds_the_claim(group: Group) -> None:
    group.person("amy")
    group.change()
    group.at(NOW)
    group.go("amy", NOW, eta=NOW + 10 * MINUTE)
    group.at(NOW + MINUTE)
    group.go("amy", NOW + 9 * MINUTE, eta=NOW + 60 * MINUTE)
    assert group.at(NOW + 41 * MINUTE) == []
    assert group.at(NOW + 89 * MINUTE) == []
    assert group.at(NOW + 90 * MINUTE) == ["amy"]


def test_a_withdrawal_tells_those_who_know_and_the_next(group: Group) -> None:
    for name in ("amy", "ben"):
        group.person(name)
    group.on_shift("amy")
    group.change()
    group.at(NOW)
    group.go("amy", NOW)
    group.at(NOW + MINUTE)
    with group.engine.begin() as connection:
        claims.see(connection, "8f2k", group.ids["ben"], NOW + 2 * MINUTE, "empty")
    assert group.at(NOW + 2 * MINUTE) == []  # a report is no withdrawal
    with group.engine.begin() as connection:
        claims.release(connection, "8f2k", group.ids["amy"], NOW + 3 * MINUTE)
    assert group.at(NOW + 3 * MINUTE) == ["amy", "ben"]


def test_the_end_reaches_those_who_heard_and_thanks_the_one_who_went(group: Group) -> None:
    for name in ("amy", "ben"):
        group.person(name)
    group.on_shift("amy")
    group.change()
    group.at(NOW)
    group.go("amy", NOW)
    group.change(2, closed=True, at=NOW + 30 * MINUTE)
    assert group.at(NOW + 30 * MINUTE) == ["amy"]
    assert "Thank you for going." in group.mail.sent[-1][1]
    assert group.rows(dispatch) == []
    assert group.at(NOW + 300 * MINUTE) == []


def test_a_theft_wakes_the_coordinator_in_quiet_hours(group: Group) -> None:
    group.person("amy")
    group.person("coco", "coordinator")
    group.hears("coco", quiet_from=22 * 60, quiet_until=7 * 60)
    group.on_shift("amy")
    group.change(kind="seized")
    assert group.at(NOW) == ["amy", "coco"]


def test_quiet_hours_hold_a_message_and_its_end_spares_it(group: Group) -> None:
    group.person("ben")
    group.hears("ben", quiet_from=22 * 60, quiet_until=7 * 60)
    group.change()
    group.change(id="other", at=NOW + 1)
    assert group.at(NOW + 2) == []
    group.change(2, closed=True, at=NOW + 60 * MINUTE)
    morning = NOW + 480 * MINUTE
    assert group.at(morning - 1) == []
    assert group.at(morning) == ["ben"]
    errors = [(row.incident, row.change_number, row.error) for row in group.rows(notice)]
    assert errors == [("8f2k", 1, ENDED), ("other", 1, None)]
    assert ENDED_UNTOLD != OVERTAKEN


@pytest.mark.usefixtures("each_database")
def test_beyond_the_cap_one_digest_has_the_rest(group: Group) -> None:
    group.person("ben")
    group.hears("ben", per_hour=2)
    for n in range(5):
        group.change(id=f"i{n}", at=NOW + n)
        group.at(NOW + n)
    assert len(group.mail.sent) == 2
    assert group.at(NOW + 3600) == ["ben"]
    text = group.mail.sent[-1][1]
    assert text.startswith("3 messages were kept back:\n- Low: Canal 1")
    assert len(text) <= 300
    assert group.at(NOW + 7200) == []
    assert all(row.sent is not None for row in group.rows(notice))


def test_a_snoozed_tank_waits(group: Group) -> None:
    ben = group.person("ben")
    with group.engine.begin() as connection:
        connection.execute(sa.insert(snooze).values(account=ben, tank="canal-1", until=NOW + 600))
    group.change()
    assert group.at(NOW) == []
    assert group.at(NOW + 599) == []
    assert group.at(NOW + 600) == ["ben"]


def test_a_refusal_goes_to_the_next_contact_and_then_fails_aloud(group: Group) -> None:
    group.person("amy", sms=True)
    group.mail.error = TransportError("mail: answered 550", permanent=True)
    group.change()
    assert group.at(NOW) == ["amy"]
    assert len(group.sms.sent) == 1
    group.sms.error = TransportError("sms: answered 400", permanent=True)
    group.change(id="other")
    assert group.at(NOW + 1) == []
    (row,) = [row for row in group.rows(notice) if row.incident == "other"]
    assert row.given_up is not None
    assert row.error == "sms: answered 400"
    with group.engine.begin() as connection:
        (lost,) = relevance.undelivered(connection)
        assert (lost.channel, lost.error) == ("person id-amy", "sms: answered 400")
        assert relevance.lag(connection, NOW + 2)["failed"] == 1
        group.mail.error = None
        assert relevance.retry(connection, NOW + 2) == 1
    assert group.at(NOW + 2) == ["amy"]


def test_a_dead_service_is_left_after_a_quarter_of_an_hour(group: Group) -> None:
    group.person("amy", sms=True)
    group.mail.error = TransportError("mail: no answer")
    group.change()
    assert group.at(NOW) == []
    assert group.at(NOW + 10) == []
    assert group.at(NOW + 16 * MINUTE) == ["amy"]
    assert group.sms.sent
    group.person("ben")
    group.change(id="other", at=NOW + 17 * MINUTE)
    group.at(NOW + 17 * MINUTE)
    group.mail.error = None
    assert "ben" in group.at(NOW + 80 * MINUTE)  # the only contact: it waits


def test_locked_contacts_wait(group: Group) -> None:
    group.person("amy")
    group.key = None
    group.change()
    assert group.at(NOW) == []
    (row,) = group.rows(notice)
    assert "noria unlock" in row.error
    group.key = KEY
    assert group.at(NOW + 30) == ["amy"]


def test_a_removed_contact_or_a_closed_account_hears_nothing(group: Group) -> None:
    amy, ben = group.person("amy"), group.person("ben")
    group.on_shift("amy")
    group.on_shift("ben")
    group.change()
    group.dispatch.decide_due(NOW)
    with group.engine.begin() as connection:
        connection.execute(sa.delete(contact).where(contact.c.account == amy))
        connection.execute(sa.update(account).where(account.c.id == ben).values(disabled=NOW))
    assert group.at(NOW) == []
    assert {row.error for row in group.rows(notice)} <= {None, NO_CONTACT}


def test_a_crash_between_deciding_and_sending_tells_once(group: Group) -> None:
    group.person("amy")
    group.change()
    group.dispatch.decide_due(NOW)
    again = Dispatch(group.engine, Clock(), WORDING.language.zone, Wakeup(), ["mail"])
    again.decide_due(NOW)
    assert group.at(NOW) == ["amy"]
    assert group.at(NOW + 121) == []
    assert len(group.rows(outbox)) == 1


def test_nothing_of_an_address_is_in_the_database(group: Group, tmp_path: Path) -> None:
    group.person("planted-address", sms=True)
    group.change()
    assert group.at(NOW) == ["planted-address", "planted-address"][:1]
    for table in (contact, notice, outbox, incident_step, dispatch):
        for row in group.rows(table):
            assert "planted-address@" not in str(row)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"planted-address@" not in path.read_bytes()

"""Alerts to persons, from the watch's change to the service: who, when, and who next."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.alerts import claims, relevance
from gateway.alerts.channels import TransportError
from gateway.alerts.people import wishes
from gateway.alerts.people.dispatch import Dispatch
from gateway.alerts.relevance import ENDED, ENDED_UNTOLD, OVERTAKEN
from gateway.alerts.tables import (
    NO_CONTACT,
    contact,
    dispatch,
    notice,
    snooze,
)
from gateway.database.tables import account, incident_step, outbox
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from tests.integration.alerted_group import KEY, MINUTE, NOW, WORDING, Group, registered


@pytest.fixture
def group(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Group]:
    if "each_database" in request.fixturenames:
        request.getfixturevalue("each_database")  # before the database is opened
    engine = registered(tmp_path)
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


def test_what_was_kept_back_follows_a_change_of_mind(group: Group) -> None:
    ben = group.person("ben")
    with group.engine.begin() as connection:
        wishes.set_snooze(connection, ben, "canal-1", NOW + 600)
    group.change()
    assert group.at(NOW) == []
    with group.engine.begin() as connection:
        wishes.set_snooze(connection, ben, "canal-1", None)
    assert group.at(NOW + 1) == ["ben"]
    group.hears("ben", quiet_from=22 * 60, quiet_until=7 * 60)
    group.change(id="other")
    assert group.at(NOW + 2) == []
    with group.engine.begin() as connection:
        wishes.save(connection, ben, wishes.Wishes("en"))
    assert group.at(NOW + 3) == ["ben"]


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

"""Which waiting messages need not be sent any more, and how many wait."""

from collections.abc import Iterator
from dataclasses import FrozenInstanceError, replace

import pytest
import sqlalchemy as sa

from gateway.alerts import relevance
from gateway.alerts.relevance import OutboxMessage, lag, why_moot
from gateway.alerts.tables import notice
from gateway.database.tables import incident, metadata, outbox
from gateway.domain.outputs import IncidentChange
from tests.unit.made_alerts import NOW, change

HOUR = 3600.0
LOW, SEIZED = change("low"), change("seized")
CLOSED = replace(LOW, change="closed")
OTHERS = ("0aaa", "other")  # before and after 8f2k


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine, tables=[incident, outbox, notice])
    with engine.connect() as made:
        yield made
    engine.dispose()


def put(connection: sa.Connection, number: int = 1, **values: object) -> None:
    row = {
        "incident": "8f2k", "change_number": number, "channel": "log", "made": NOW, "due": NOW,
        "attempts": 0, "change": {},
    }  # fmt: skip
    connection.execute(sa.insert(outbox).values(row | values))


def put_incident(connection: sa.Connection, name: str, closed: float | None) -> None:
    connection.execute(
        sa.insert(incident).values(
            id=name, version=1, change_number=1, kind="low", at=NOW, opened=NOW, updated=NOW,
            probability=1.0, causes={}, because=[], figures={}, auth="mac", closed=closed,
        )
    )  # fmt: skip


def message(age_s: float = 0.0, number: int = 1) -> OutboxMessage:
    return OutboxMessage(1, "8f2k", number, "log", NOW - age_s, NOW, 0, None, {})


def test_a_newer_message_of_the_same_incident_and_channel_overtakes(
    connection: sa.Connection,
) -> None:
    put(connection, 1)
    for other in OTHERS:
        put(connection, 2, incident=other)
    for channel in ("apprise", "mail"):  # before and after log
        put(connection, 2, channel=channel)
    assert why_moot(connection, message(), SEIZED, NOW) is None
    put(connection, 2, given_up=NOW)
    assert why_moot(connection, message(), SEIZED, NOW) == "overtaken by a newer message"
    assert why_moot(connection, message(number=2), SEIZED, NOW) is None


# An alert older than twelve hours is not sent when its incident has ended.
@pytest.mark.parametrize(
    ("change", "age_h", "closed", "reason"),
    [
        (LOW, 0, None, None),
        (LOW, 13, None, None),
        (LOW, 0, 0.0, "it has ended"),
        (LOW, 0, NOW, "it has ended"),
        (replace(LOW, kind="critical"), 0, NOW, "it has ended"),
        (replace(LOW, kind="empty"), 0, NOW, "it has ended"),
        (SEIZED, 12, NOW, None),
        (SEIZED, 12.0001, NOW, "it has ended"),
        (SEIZED, 13, None, None),
    ],
)
def test_an_alert_is_moot_when_its_incident_has_ended_and_it_is_water_or_old(
    connection: sa.Connection,
    change: IncidentChange, age_h: float, closed: float | None, reason: str | None,
) -> None:  # fmt: skip
    for other in OTHERS:
        put_incident(connection, other, None if closed is not None else NOW)
    put_incident(connection, "8f2k", closed)
    put(connection)
    assert why_moot(connection, message(age_h * HOUR), change, NOW) == reason


@pytest.mark.parametrize(
    ("age_h", "sent", "reason"),
    [
        (0, None, "it ended before anybody was told"),
        (13, None, "it ended before anybody was told"),
        (0, 0.0, None),
        (12, NOW, None),
        (12.0001, NOW, "too old"),
    ],
)
def test_an_end_is_sent_to_those_who_received_the_beginning(
    connection: sa.Connection, age_h: float, sent: float | None, reason: str | None
) -> None:
    put_incident(connection, "8f2k", NOW)
    put(connection, 1, sent=sent)
    put(connection, 2)
    put(connection, 1, channel="mail", sent=NOW)
    for other in OTHERS:
        put(connection, 1, incident=other, sent=NOW)
    assert why_moot(connection, message(age_h * HOUR, 2), CLOSED, NOW) == reason


def test_the_lag_counts_waiting_and_failed_messages(connection: sa.Connection) -> None:
    assert lag(connection, NOW) == {"waiting": 0, "oldest_s": None, "failed": 0}
    put(connection, 1, made=NOW - 5)
    put(connection, 2, made=NOW - 60)
    put(connection, 3, made=NOW - 900, sent=NOW)
    put(connection, 4, made=NOW - 900, given_up=NOW, error="log: no answer")
    put(connection, 5, given_up=NOW, error="log: answered 410")
    put(connection, 6, given_up=NOW, error="log: answered 500")
    for number, reason in enumerate(relevance.NO_FAILURE, 7):
        put(connection, number, given_up=NOW, error=reason)
    put(connection, 20, made=NOW - 1, error="log: answered 500")
    assert lag(connection, NOW) == {"waiting": 3, "oldest_s": 60.0, "failed": 3}
    assert lag(connection, NOW - 100)["oldest_s"] == 0.0


def test_reasons_that_are_no_failure_are_five() -> None:
    assert relevance.NO_FAILURE == (
        "overtaken by a newer message", "it has ended", "it ended before anybody was told",
        "too old", "the channel is no longer configured",
    )  # fmt: skip


def test_a_row_of_the_outbox_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        message().due = NOW  # pyright: ignore[reportAttributeAccessIssue]
    assert not hasattr(message(), "__dict__")

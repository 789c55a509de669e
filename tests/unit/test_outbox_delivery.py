"""The outbox: order, leases, retries and marks of the messages of one channel."""

import logging
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from gateway.alerts.channels import TransportError
from gateway.alerts.language import Language
from gateway.alerts.outbox import AlertWording, Delivery, Outbox
from gateway.database.tables import account, incident, incident_step, metadata, outbox
from gateway.domain.outputs import IncidentChange
from gateway.domain.registry import Registry, Site, Tank
from gateway.registry import rows
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from tests.parts.services import until

NOW = 1795267920.0  # Saturday 21 November 2026, 14:32 in Paris
HOUR = 3600.0
WORDING = AlertWording(Language("en", "Europe/Paris"), "https://x")
TANKS = Registry(
    sites={"north": (Site("north", ""),)},
    tanks={"canal-1": (Tank("canal-1", "", "north", name="Canal 1", sensor_height_mm=1100),)},
)
LOW = IncidentChange(
    id="8f2k", change="opened", change_number=1, at=NOW, received=NOW, tank="canal-1", uplink=None,
    kind="low", probability=0.7, causes={}, because=(), auth="mac", alert=True,
    figures={"volume_l": 302.0},
)  # fmt: skip


class Channel:
    """Keeps what it sends; raises ``errors`` first."""

    def __init__(self, name: str = "log", *errors: TransportError) -> None:
        self.name = name
        self.errors = list(errors)
        self.sent: list[tuple[str, str]] = []

    def send(self, text: str, title: str) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.sent.append((text.replace("\u00a0", " "), title.replace("\u00a0", " ")))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with one tank and two open incidents, made once."""
    path = tmp_path_factory.mktemp("outbox") / "first.db"
    made = sa.create_engine(f"sqlite:///{path}")
    metadata.create_all(made)
    with made.begin() as connection:
        rows.put(connection, TANKS, NOW)
        for name in ("8f2k", "other", "0000"):
            connection.execute(
                sa.insert(incident).values(
                    id=name, version=4, change_number=1, kind="low", at=NOW, opened=NOW,
                    updated=NOW, probability=0.7, causes={}, because=[], figures={}, auth="mac",
                    claimed_by="ann" if name == "0000" else None,
                )
            )  # fmt: skip
    made.dispose()
    return path


@pytest.fixture
def engine(tmp_path: Path, first: Path) -> Iterator[sa.Engine]:
    shutil.copy(first, tmp_path / "noria.db")
    made = sa.create_engine(f"sqlite:///{tmp_path}/noria.db")
    event.listen(made, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
    yield made
    made.dispose()


def put(engine: sa.Engine, change: IncidentChange = LOW, **values: object) -> None:
    row = {
        "incident": change.id, "change_number": change.change_number, "channel": "log",
        "made": NOW, "due": NOW, "attempts": 0, "change": asdict(change),
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(sa.insert(outbox).values(row | values))


def state(engine: sa.Engine) -> list[tuple[object, ...]]:
    """Due, attempts, sent, given up and error of each message."""
    columns = (outbox.c.due, outbox.c.attempts, outbox.c.sent, outbox.c.given_up, outbox.c.error)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.select(*columns).order_by(outbox.c.id))]


def delivery(engine: sa.Engine, channel: Channel, speed: float = 1.0) -> Delivery:
    return Delivery(engine, channel, Clock(speed), WORDING)


def put_incident(engine: sa.Engine, **values: object) -> None:
    with engine.begin() as connection:
        connection.execute(sa.update(incident).where(incident.c.id == "8f2k").values(**values))


def test_a_message_is_sent_once_and_recorded(engine: sa.Engine) -> None:
    channel = Channel()
    put(engine, error="x: answered 500")
    sender = delivery(engine, channel)
    assert sender.deliver_due(NOW + 3) is None
    assert sender.deliver_due(NOW + 500) is None
    text = "Low: Canal 1, about 300 L. Nobody is going yet. Go: https://x/c/8f2k"
    assert channel.sent == [(text, "Low: Canal 1, about 300 L")]
    assert state(engine) == [(NOW + 123, 1, NOW + 3, None, None)]
    with engine.connect() as connection:
        (step,) = connection.execute(sa.select(incident_step)).all()
        versions = connection.execute(sa.select(incident.c.id, incident.c.version)).all()
    assert tuple(step)[1:] == ("8f2k", NOW + 3, "told", None, {"channel": "log", "number": 1})
    assert sorted(map(tuple, versions)) == [("0000", 4), ("8f2k", 5), ("other", 4)]


def test_messages_go_out_by_due_time_then_age(engine: sa.Engine) -> None:
    channel = Channel()
    for name, due in (("c", NOW), ("a", NOW - 5), ("d", NOW), ("e", NOW + 0.5)):
        put(engine, replace(LOW, id=name), due=due)
    put(engine, replace(LOW, id="b"), channel="mail")
    put(engine, replace(LOW, id="f"), sent=NOW)
    put(engine, replace(LOW, id="g"), given_up=NOW)
    assert delivery(engine, channel).deliver_due(NOW) == NOW + 0.5
    assert [text[-1:] for text, _ in channel.sent] == ["a", "c", "d"]


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_a_lease_lasts_two_real_minutes(engine: sa.Engine, speed: float) -> None:
    class Killed(BaseException):
        """The end of the process during a send."""

    class Dying(Channel):
        def send(self, text: str, title: str) -> None:
            raise Killed

    put(engine)
    with pytest.raises(Killed):
        delivery(engine, Dying(), speed).deliver_due(NOW)
    ends = NOW + 120 * speed
    assert state(engine) == [(ends, 1, None, None, None)]
    assert delivery(engine, Channel()).deliver_due(ends - 1) == ends


@pytest.mark.parametrize("values", [{"attempts": 1}, {"sent": NOW}, {"given_up": NOW}])
def test_a_message_that_another_worker_has_is_not_taken(
    engine: sa.Engine, values: dict[str, object]
) -> None:
    put(engine)
    put(engine, replace(LOW, id="other"))
    sender = delivery(engine, Channel())
    message = sender._next(NOW)
    assert message is not None
    with engine.begin() as connection:
        connection.execute(sa.update(outbox).where(outbox.c.id == message.id).values(**values))
    before = state(engine)
    assert sender._take(message, NOW) is False
    assert state(engine) == before


@pytest.mark.parametrize(
    ("attempts", "wait_s"),
    [(0, 10), (1, 20), (2, 40), (6, 640), (7, 900), (50, 900)],
)
def test_a_failure_waits_twice_as_long_each_time_up_to_a_quarter_of_an_hour(
    engine: sa.Engine, attempts: int, wait_s: float
) -> None:
    put(engine, attempts=attempts)
    put(engine, replace(LOW, id="other"), due=NOW + 9999)
    channel = Channel("log", TransportError("log: answered 500"))
    assert delivery(engine, channel).deliver_due(NOW) == NOW + wait_s
    first, second = state(engine)
    assert first == (NOW + wait_s, attempts + 1, None, None, "log: answered 500")
    assert second == (NOW + 9999, 0, None, None, None)


@pytest.mark.parametrize(
    ("age_s", "permanent", "given_up"),
    [(0, False, False), (24 * HOUR, False, False), (24 * HOUR + 1, False, True), (0, True, True)],
)
def test_a_message_is_given_up_after_a_day_or_a_permanent_failure(
    engine: sa.Engine, caplog: pytest.LogCaptureFixture, age_s: float, permanent: bool,
    given_up: bool,
) -> None:  # fmt: skip
    put(engine, made=NOW - age_s)
    error = TransportError("log: answered 410", permanent=permanent)
    due = delivery(engine, Channel("log", error)).deliver_due(NOW)
    assert (due is None) == given_up
    (row,) = state(engine)
    assert row[2:] == (None, NOW if given_up else None, "log: answered 410")
    fate = "given up" if given_up else "waits"
    assert caplog.messages == [f"message of incident 8f2k {fate}: log: answered 410"]
    assert caplog.records[0].levelno == (logging.ERROR if given_up else logging.WARNING)
    if not given_up:  # only the first failure of a message is logged
        delivery(engine, Channel("log", error)).deliver_due(NOW + 10)
        assert len(caplog.messages) == (2 if age_s + 10 > 24 * HOUR else 1)


def test_the_text_names_the_person_who_goes(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        for id, name in (("ann", "Ann"), ("van2", "Van 2"), ("zoe", "Zoe")):
            row = {"id": id, "name": name, "login": id, "role": "volunteer", "created": NOW}
            connection.execute(sa.insert(account).values(**row, password="*"))
    put_incident(engine, claimed_by="van2", claim_eta=NOW + 60)
    channel = Channel()
    put(engine)
    sender = delivery(engine, channel)
    sender.deliver_due(NOW)
    assert "Van 2 is going, there about 14:33." in channel.sent[0][0]
    put_incident(engine, claimed_by="deleted", claim_eta=None)
    put(engine, replace(LOW, change_number=2))
    sender.deliver_due(NOW)
    assert "Somebody is going." in channel.sent[1][0]


def test_an_end_is_named_in_other_messages_than_its_own(engine: sa.Engine) -> None:
    channel = Channel()
    put_incident(engine, closed=NOW - 60)
    put(engine, replace(LOW, kind="seized"))
    delivery(engine, channel).deliver_due(NOW)
    assert "It ended at 14:31." in channel.sent[0][0]
    put(engine, replace(LOW, kind="seized", change="closed", change_number=2))
    delivery(engine, channel).deliver_due(NOW)
    assert "It ended" not in channel.sent[1][0]


def test_the_registry_is_loaded_again_after_a_change(engine: sa.Engine) -> None:
    channel = Channel()
    sender = delivery(engine, channel)
    put(engine)
    sender.deliver_due(NOW)
    kept = sender._registry
    put(engine, replace(LOW, change_number=2))
    sender.deliver_due(NOW)
    assert sender._registry is kept
    renamed = replace(TANKS.tanks["canal-1"][0], name="Canal 9", since=NOW)
    with engine.begin() as connection:
        rows.put(connection, replace(TANKS, tanks={"canal-1": (renamed,)}), NOW)
    put(engine, replace(LOW, change_number=3))
    sender.deliver_due(NOW)
    assert [title for _, title in channel.sent] == [
        "Low: Canal 1, about 300 L", "Low: Canal 1, about 300 L", "Low: Canal 9, about 300 L",
    ]  # fmt: skip


def test_a_moot_message_is_marked_and_not_sent(engine: sa.Engine) -> None:
    channel = Channel()
    put(engine)
    put(engine, replace(LOW, change_number=2), due=NOW + 1)
    assert delivery(engine, channel).deliver_due(NOW) == NOW + 1
    assert channel.sent == []
    assert state(engine)[0] == (NOW + 120, 1, None, NOW, "overtaken by a newer message")


@pytest.mark.parametrize(
    ("due_s", "speed", "wait_s"), [(None, 1, 5), (-9, 1, 5), (3, 1, 3), (60, 1, 5), (60, 60, 1)]
)
def test_a_turn_waits_until_the_next_message_at_most_five_seconds(
    engine: sa.Engine, due_s: float | None, speed: float, wait_s: float
) -> None:
    clock = Clock(speed, NOW)
    if due_s is not None:
        put(engine, due=clock.now() + due_s)
    assert Delivery(engine, Channel(), clock, WORDING).turn() == pytest.approx(wait_s, abs=0.8)


def test_messages_of_removed_channels_are_given_up_at_the_start(engine: sa.Engine) -> None:
    later = 4e9
    put(engine, channel="gone", due=later)
    put(engine, replace(LOW, id="kept"), due=later)
    put(engine, replace(LOW, id="sent"), channel="gone", sent=NOW, due=later)
    workers = Outbox(engine, [Channel(), Channel("mail")], Clock(), Wakeup(), WORDING)
    workers.start()
    workers.stop()
    gone, kept, sent = state(engine)
    assert gone[4] == "the channel is no longer configured"
    assert gone[3] == pytest.approx(Clock().now(), abs=60)
    assert kept == (later, 0, None, None, None)
    assert sent == (later, 0, NOW, None, None)
    assert [loop.name for loop in workers._loops] == ["outbox log", "outbox mail"]
    assert all(loop.stopping for loop in workers._loops)


def test_each_channel_is_delivered_by_a_thread_of_its_own(engine: sa.Engine) -> None:
    channels = [Channel(), Channel("mail")]
    put(engine)
    put(engine, channel="mail")
    workers = Outbox(engine, channels, Clock(), Wakeup(), WORDING)
    workers.start()
    until(lambda: [len(one.sent) for one in channels] == [1, 1])
    workers.stop()
    assert not hasattr(WORDING, "__dict__")

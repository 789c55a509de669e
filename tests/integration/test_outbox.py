"""The outbox delivers through Apprise to real servers: once, in time, with retries for a day."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.alerts import claims, relevance
from gateway.alerts.channels import Channel, open_channels
from gateway.alerts.language import Language
from gateway.alerts.outbox import GIVE_UP_S, AlertWording, Delivery, Outbox
from gateway.alerts.relevance import OLD_S, lag
from gateway.database.tables import incident, incident_step, outbox
from gateway.domain.outputs import IncidentChange, IncidentKind
from gateway.domain.registry import Registry, Site, Tank
from gateway.projections.watch.rows import OutputContext, write_output
from gateway.registry import rows
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from server.accounts import people
from tests.integration.sinks import http_sink, json_channel, smtp_sink
from tests.parts import database
from tests.parts.services import until

pytestmark = pytest.mark.usefixtures("each_database")

NOW = 1795212000.0
WORDING = AlertWording(Language("en", "Europe/Paris"), "https://noria.example")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = database.opened(tmp_path)
    watched = Registry(
        sites={"north": (Site("north", ""),)},
        tanks={"canal-1": (Tank("canal-1", "", "north", name="Canal 1", sensor_height_mm=1100),)},
    )
    with made.begin() as connection:
        rows.put(connection, watched, NOW)
    yield made
    made.dispose()


def change(
    number: int = 1, kind: IncidentKind = "low", at: float = NOW, closed: bool = False
) -> IncidentChange:
    """A change of the incident 8f2k at Canal 1 that raises an alert."""
    what = "closed" if closed else "opened" if number == 1 else "updated"
    return IncidentChange(
        id="8f2k", change=what, change_number=number, at=at, received=at, tank="canal-1",
        uplink=None, kind=kind, probability=0.7, causes={"unknown": 1.0}, because=(), auth="mac",
        alert=True, figures={"volume_l": 940.0 if closed else 302.0},
    )  # fmt: skip


def put(engine: sa.Engine, channel: str, *changes: IncidentChange) -> None:
    """Write changes as the watch does."""
    with engine.begin() as connection:
        for one in changes:
            write_output(connection, [one], [], OutputContext([channel], {"canal-1": "rid"}))


def one(engine: sa.Engine, number: int = 1) -> sa.Row[Any]:
    query = sa.select(outbox).where(outbox.c.change_number == number)
    with engine.connect() as connection:
        return connection.execute(query).one()


def delivery_of(engine: sa.Engine, channel: Channel) -> Delivery:
    return Delivery(engine, channel, Clock(), WORDING)


def test_a_web_hook_gets_the_text_once_and_the_history_a_step(engine: sa.Engine) -> None:
    with http_sink() as sink:
        channel = json_channel(sink.port)
        put(engine, channel.name, change())
        delivery = delivery_of(engine, channel)
        assert delivery.deliver_due(NOW) is None
        assert delivery.deliver_due(NOW + 5) is None
        assert len(sink.bodies) == 1
        body = json.loads(sink.bodies[0])
        assert body["message"].startswith("Low: Canal 1, about 300\u00a0L. Nobody is going yet.")
        assert body["message"].endswith("https://noria.example/c/8f2k")
    assert (one(engine).sent, one(engine).error) == (NOW, None)
    with engine.connect() as connection:
        step = connection.execute(
            sa.select(incident_step).where(incident_step.c.what == "told")
        ).one()
    assert step.data == {"channel": channel.name, "number": 1}


def test_a_mail_arrives_with_its_subject(engine: sa.Engine) -> None:
    with smtp_sink() as sink:
        url = f"mailto://127.0.0.1:{sink.port}?from=noria@example.org&to=van2@example.org"
        (channel,) = open_channels([url])
        put(engine, channel.name, change(kind="seized"))
        delivery_of(engine, channel).deliver_due(NOW)
    (mail,) = sink.messages
    assert mail["Subject"] == "May have been taken: Canal 1"
    assert mail["To"] == "van2@example.org"
    content = mail.get_body(("plain",))
    assert content is not None
    assert "About 7 in 10." in " ".join(str(content.get_content()).split())


def test_a_claim_made_before_delivery_is_in_the_text(engine: sa.Engine) -> None:
    with http_sink() as sink:
        channel = json_channel(sink.port)
        put(engine, channel.name, change())
        van = people.add(engine, "Van 2", "volunteer", people.draw_password(), NOW)
        with engine.begin() as connection:
            assert claims.claim(connection, "8f2k", van.id, NOW, eta=NOW + 3600)
        delivery_of(engine, channel).deliver_due(NOW + 1)
        assert "Van 2 is going, there about" in sink.bodies[0]


@pytest.mark.parametrize("status", [429, 500, 503, 404, 401])
def test_a_failing_server_is_retried_later(engine: sa.Engine, status: int) -> None:
    with http_sink(status) as sink:
        channel = json_channel(sink.port)
        put(engine, channel.name, change())
        delivery = delivery_of(engine, channel)
        again = delivery.deliver_due(NOW)
        assert again is not None
        assert NOW + 5 <= again <= NOW + 60
        assert one(engine).error == f"{channel.name}: answered {status}"
        assert delivery.deliver_due(again - 1) == again
        assert len(sink.bodies) == 1
        assert delivery.deliver_due(again) is None
        assert len(sink.bodies) == 2
    assert one(engine).sent == again


def test_a_dead_address_is_retried_with_back_off_for_a_day(engine: sa.Engine) -> None:
    with http_sink() as sink:
        port = sink.port
    channel = json_channel(port)  # nobody listens there now
    put(engine, channel.name, change())
    delivery = delivery_of(engine, channel)
    now, waits = NOW, list[float]()
    while (due := delivery.deliver_due(now)) is not None:
        waits.append(due - now)
        now = due
    assert waits == sorted(waits)
    assert waits[-1] == 900.0
    given_up = one(engine)
    assert given_up.sent is None
    assert given_up.given_up - NOW > GIVE_UP_S
    assert given_up.error == f"{channel.name}: no answer"
    with engine.connect() as connection:
        assert lag(connection, now) == {"waiting": 0, "oldest_s": None, "failed": 1}


def test_a_message_that_is_refused_for_good_is_given_up_at_once(engine: sa.Engine) -> None:
    with http_sink(410) as sink:
        channel = json_channel(sink.port)
        put(engine, channel.name, change())
        assert delivery_of(engine, channel).deliver_due(NOW) is None
    assert (one(engine).given_up, one(engine).attempts) == (NOW, 1)


def test_what_was_given_up_is_named_and_can_be_sent_again(engine: sa.Engine) -> None:
    with http_sink(410) as sink:
        channel = json_channel(sink.port)
        put(engine, channel.name, change())
        delivery = delivery_of(engine, channel)
        delivery.deliver_due(NOW)
        with engine.begin() as connection:
            (given_up,) = relevance.undelivered(connection)
            assert given_up.error == f"{channel.name}: answered 410"
            assert relevance.lag(connection, NOW)["failed"] == 1
            assert relevance.retry(connection, NOW + 60) == 1
            assert relevance.undelivered(connection) == []
        delivery.deliver_due(NOW + 60)
    assert (one(engine).sent, one(engine).error) == (NOW + 60, None)


def test_a_server_that_never_answers_times_out(engine: sa.Engine) -> None:
    with http_sink() as sink:
        (channel,) = open_channels([f"json://127.0.0.1:{sink.port}/?rto=0.3&cto=0.3"])
        sink.hold.clear()
        put(engine, channel.name, change())
        began = time.monotonic()
        assert delivery_of(engine, channel).deliver_due(NOW) is not None
        assert time.monotonic() - began < 5
    assert one(engine).error == f"{channel.name}: no answer"


def test_after_a_kill_the_message_is_sent_again_when_the_lease_ends(
    engine: sa.Engine,
) -> None:
    class Killed(BaseException):
        """kill -9 in the middle of a send."""

    class Dying:
        name = "log"

        def send(self, text: str, title: str) -> None:
            raise Killed

    put(engine, "log", change())
    with pytest.raises(Killed):
        delivery_of(engine, Dying()).deliver_due(NOW)
    (log,) = open_channels(["log"])
    due = delivery_of(engine, log).deliver_due(NOW + 1)
    assert due is not None
    assert one(engine).sent is None
    assert delivery_of(engine, log).deliver_due(due) is None
    assert one(engine).sent == due


def test_two_workers_send_it_once(engine: sa.Engine) -> None:
    with http_sink() as sink:
        channel = json_channel(sink.port)
        sink.hold.clear()
        put(engine, channel.name, change())
        workers = [
            threading.Thread(target=delivery_of(engine, channel).deliver_due, args=(NOW,))
            for _ in range(4)
        ]
        for worker in workers:
            worker.start()
        until(lambda: len(sink.bodies) == 1)
        sink.hold.set()
        for worker in workers:
            worker.join()
        assert len(sink.bodies) == 1
    assert (one(engine).attempts, one(engine).sent) == (1, NOW)


def test_an_overtaken_message_is_marked_and_not_sent(engine: sa.Engine) -> None:
    (log,) = open_channels(["log"])
    put(engine, log.name, change(), change(2, "critical"))
    delivery_of(engine, log).deliver_due(NOW)
    assert one(engine, 1).error == "overtaken by a newer message"
    assert one(engine, 2).sent == NOW
    put(engine, log.name, change(3, "critical", closed=True))
    delivery_of(engine, log).deliver_due(NOW + 1)
    assert one(engine, 3).sent == NOW + 1


def test_the_end_of_an_incident_without_a_message_is_not_sent(engine: sa.Engine) -> None:
    (log,) = open_channels(["log"])
    put(engine, log.name, change(), change(2, "low", closed=True))
    delivery_of(engine, log).deliver_due(NOW)
    assert (one(engine, 1).sent, one(engine, 2).sent) == (None, None)
    assert one(engine, 2).error == "it ended before anybody was told"


def test_after_a_long_absence_only_open_incidents_are_sent(engine: sa.Engine) -> None:
    (log,) = open_channels(["log"])
    put(engine, log.name, change(kind="seized"))
    with engine.begin() as connection:
        connection.execute(sa.update(incident).values(closed=NOW + 60))
    delivery_of(engine, log).deliver_due(NOW + OLD_S + 1)
    assert one(engine).error == "it has ended"
    with engine.begin() as connection:
        connection.execute(sa.update(incident).values(closed=None))
        connection.execute(sa.update(outbox).values(given_up=None, due=NOW))
    delivery_of(engine, log).deliver_due(NOW + OLD_S + 2)
    assert one(engine).sent == NOW + OLD_S + 2


def test_the_threads_deliver_on_wakeup_and_a_dead_channel_stalls_no_other(
    engine: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with http_sink() as sink:
        sink.hold.clear()
        channels = [json_channel(sink.port), *open_channels(["log-names"])]
        wake = Wakeup()
        workers = Outbox(engine, channels, Clock(), wake, WORDING)
        put(engine, "gone-000000", change(9, at=time.time()))
        workers.start()
        for channel in channels:
            put(engine, channel.name, change(at=time.time()))
        wake.notify()
        try:
            until(lambda: "Low: Canal 1" in caplog.text)
            sink.hold.set()
            until(lambda: _sent(engine) == 2)
        finally:
            workers.stop()
    assert one(engine, 9).error == "the channel is no longer configured"
    assert "secret-token" not in caplog.text


def _sent(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(sa.select(sa.func.count(outbox.c.sent))).scalar_one()

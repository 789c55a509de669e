"""A gateway starts and its broker does not: the journal learns that nothing can arrive."""

from collections.abc import Iterator

from gateway.mqtt.address import Address
from gateway.mqtt.session import MISSING_S, BrokerEvent, Session
from gateway.runtime.wakeup import SelectWakeup
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import free_port, until

START = 1_795_212_000.0


def events(port: int, times: Iterator[float], user: str = "") -> list[BrokerEvent]:
    """The events of a session whose clock shows these times, once there is one."""
    clock = [START]
    session = Session(
        Address("127.0.0.1", port, "noria-gateway-g", user), "g", SelectWakeup(), lambda: clock[0]
    )
    found: list[BrokerEvent] = []

    def exchange() -> bool:
        clock[0] = next(times, clock[0])
        found.extend(e for e in session.receive(0.05) if isinstance(e, BrokerEvent))
        return clock[0] > START + MISSING_S + 3

    until(exchange, 20, "all times")
    session.close()
    return found


def seconds() -> Iterator[float]:
    """The last seconds before the broker counts as missing, and the first after it."""
    return iter(START + MISSING_S + n for n in (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0))


def test_a_broker_that_is_not_reached_after_a_start_is_lost_once() -> None:
    found = events(free_port(), seconds())
    assert [event.run for event in found] == ["broker_lost"]
    assert START + MISSING_S <= found[0].received <= START + MISSING_S + 5


def test_a_broker_that_answers_is_not_lost(mosquitto: Mosquitto) -> None:
    assert "broker_lost" not in [event.run for event in events(mosquitto.port, seconds())]

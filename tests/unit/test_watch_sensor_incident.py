"""The incident of a sensor that people should check: what it shows, and when it closes."""

import pytest

from gateway.domain.outputs import IncidentChange
from gateway.domain.watch.rules import sensor
from gateway.domain.watch.tracks.cause import Term, weigh
from tests.unit.handled_tank import HandledTank, handled_tank
from tests.unit.tank_story import T0

CERTAIN = weigh([Term("", "measured", {"sensor_fault": 4.5})])[0]["sensor_fault"]


def broken(by: str) -> HandledTank:
    """A tank whose sensor is broken in some way."""
    found = handled_tank()
    health = found.tank.health
    health.broken, health.same, health.faults = by, 41, 7
    health.same_since, health.fault_at = T0 - 5000.0, T0 - 2000.0
    found.device.auth = "sig"
    return found


def decide(tank: HandledTank) -> list[IncidentChange]:
    tank.context.outputs = []
    sensor.decide(tank.context, tank.tank, tank.row, tank.device)
    return [o for o in tank.context.outputs if isinstance(o, IncidentChange)]


@pytest.mark.parametrize(
    ("by", "at", "term", "readings"),
    [
        ("stuck", T0 - 5000, "stuck", 41),
        ("no_echo", T0 - 2000, "no_believable_reading", 7),
        ("erratic", T0 - 2000, "no_believable_reading", 7),
    ],
)
def test_a_broken_sensor_is_reported_with_its_readings_and_since_when(
    by: str, at: float, term: str, readings: int
) -> None:
    (change,) = decide(broken(by))
    assert (change.change, change.kind, change.alert) == ("opened", "sensor_fault", True)
    assert (change.at, change.tank, change.uplink, change.auth) == (at, "north-1", None, "sig")
    assert change.probability == change.causes["sensor_fault"] == CERTAIN > 0.8
    assert change.figures == {"fault": by}
    (because,) = change.because
    assert (because.term, because.basis) == (term, "measured")
    assert because.values == {"fault": by, "readings": readings}


def test_without_a_beginning_it_began_now() -> None:
    tank = broken("no_echo")
    tank.tank.health.fault_at = None
    assert decide(tank)[0].at == T0


def test_it_closes_when_the_readings_are_believable_again() -> None:
    tank = broken("stuck")
    decide(tank)
    assert decide(tank) == [], "once"
    tank.tank.health.broken = ""
    (change,) = decide(tank)
    assert (change.change, change.alert) == ("closed", False)
    assert change.figures["closed_why"] == "believable"


def test_what_a_person_closed_is_reported_again_only_after_it_worked() -> None:
    tank = broken("stuck")
    tank.tank.health.muted = True
    assert decide(tank) == []
    tank.tank.health.broken = ""
    assert decide(tank) == []
    tank.tank.health.broken = "stuck"
    assert [change.change for change in decide(tank)] == ["opened"]

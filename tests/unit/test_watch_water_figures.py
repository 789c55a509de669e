"""A water incident: how certain it is, what it shows, and what it waits for."""

from typing import Any

import pytest

from gateway.domain.outputs import IncidentChange
from gateway.domain.registry import Plan
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import Gap, TankState
from gateway.domain.watch.rules import water
from gateway.domain.watch.tracks.account import Flow
from gateway.domain.watch.tracks.settling import Settling
from tests.unit.handled_tank import HandledTank, handled_tank
from tests.unit.tank_story import HOUR, T0

RISING: Any = object()


def tank_below(
    *latched: str, litres: float | None = 290.0, sd_l: float | None = 6.0, **setup: Any
) -> HandledTank:
    """A tank of 1000 L that is below these thresholds: low 300 L, critical 150 L, empty 20 L."""
    found = handled_tank(**setup)
    level = found.tank.level
    level.latched, level.volume_l, level.sd_l = list(latched), litres, sd_l
    level.at = level.since = T0 - 60.0
    return found


def decide(of: HandledTank, *, live: bool = True) -> list[IncidentChange]:
    """The changes that follow from the tank's level."""
    of.context.outputs = []
    water.decide(of.context, of.tank, of.row, of.device, live)
    return [o for o in of.context.outputs if isinstance(o, IncidentChange)]


@pytest.mark.parametrize(
    ("kind", "litres", "sd_l", "probability", "weight", "threshold_l"),
    [
        ("low", 294.0, 6.0, 0.921, 1.0, 300.0),
        ("low", 297.0, 6.0, 0.76, 0.5, 300.0),
        ("low", 300.0, 6.0, 0.5, 0.0, 300.0),
        ("low", 305.0, 6.0, 0.5, 0.0, 300.0),
        ("low", 246.0, 6.0, 0.999, 9.0, 300.0),
        ("low", 250.5, 6.0, 0.999, 8.25, 300.0),
        ("low", 240.0, 6.0, 0.999, 9.0, 300.0),
        ("low", 299.5, 0.5, 0.921, 1.0, 300.0),
        ("low", 299.9, None, 0.921, 1.0, 300.0),
        ("low", 299.9, 0.05, 0.921, 1.0, 300.0),
        ("critical", 144.0, 6.0, 0.921, 1.0, 150.0),
        ("empty", 20.0, 6.0, 0.921, 1.0, 26.0),
        ("empty", 19.9, None, 0.921, 1.0, 20.0),
        ("empty", 20.0, 6.256, 0.921, 1.0, 26.3),
        ("empty", 10.0, 20.0, 0.921, 1.0, 30.0),
        ("empty", None, 6.0, 0.999, 4.333, 26.0),
    ],
)
def test_a_level_is_as_certain_as_its_distance_to_the_threshold(
    kind: str, litres: float | None, sd_l: float | None, probability: float, weight: float,
    threshold_l: float,
) -> None:  # fmt: skip
    (change,) = decide(tank_below(kind, litres=litres, sd_l=sd_l))
    assert (change.kind, change.probability) == (kind, probability)
    (because,) = change.because
    assert (because.term, because.basis) == ("level", "measured")
    assert because.weight == pytest.approx(weight, abs=0.0015)
    assert because.values["threshold_l"] == threshold_l
    assert because.values["volume_l"] == (litres or 0.0)
    assert because.values["sd_l"] == max(sd_l or 0.0, 0.1)


def test_an_alert_shows_the_level_and_when_the_tank_will_be_empty() -> None:
    tank = tank_below("low", litres=294.44, sd_l=6.0)
    tank.tank.low_at, tank.tank.empty_at = [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]
    (change,) = decide(tank)
    assert (change.change, change.alert, change.at) == ("opened", True, T0 - 60)
    assert (change.tank, change.uplink, change.auth) == ("north-1", None, "mac")
    assert change.causes["unknown"] == 1.0
    assert change.figures == {
        "volume_l": 294.44, "sd_l": 6.0, "pct": 29.4, "trend_lph": None,
        "low_at": 1.0, "low_lo": 2.0, "low_hi": 3.0,
        "empty_at": 4.0, "empty_lo": 5.0, "empty_hi": 6.0,
    }  # fmt: skip


def test_without_a_forecast_an_alert_shows_none() -> None:
    (change,) = decide(tank_below("low"))
    assert set(change.figures) == {"volume_l", "sd_l", "pct", "trend_lph"}


def test_an_empty_tank_is_empty_since_the_first_reading_below() -> None:
    (change,) = decide(tank_below("low", "critical", "empty", litres=5.0))
    assert (change.kind, change.figures["empty_since"]) == ("empty", T0 - 60)


def test_a_level_without_a_beginning_began_now() -> None:
    tank = tank_below("low")
    tank.tank.level.since = None
    assert decide(tank)[0].at == T0


@pytest.mark.parametrize(
    ("refill_at", "dry_s"), [(T0 + 600.0, 660.0), (None, 1860.0), (T0 - 90.0, 0.0)]
)
def test_a_refill_closes_with_how_long_the_tank_was_dry(
    refill_at: float | None, dry_s: float
) -> None:
    tank = tank_below("low", "critical", "empty", litres=5.0)
    decide(tank)
    tank.tank.level.latched, tank.tank.level.volume_l = [], 900.0
    tank.tank.level.at = T0 + 1800.0
    tank.tank.flow = Flow(refill_at=refill_at, refill_l=895.0)
    (closed,) = decide(tank)
    assert (closed.change, closed.alert) == ("closed", True)
    assert closed.figures["dry_s"] == dry_s
    assert closed.figures["closed_why"] == "refilled"
    assert (closed.figures["refill_at"], closed.figures["refill_l"]) == (refill_at, 895.0)
    assert closed.figures["volume_l"] == 900.0


def test_a_refill_of_a_low_tank_shows_no_dry_time() -> None:
    tank = tank_below("low")
    decide(tank)
    tank.tank.level.latched = []
    assert "dry_s" not in decide(tank)[0].figures


def test_a_refill_before_any_alert_closes_without_one() -> None:
    tank = tank_below("low")
    decide(tank)
    incident = tank.context.open_incident("water", "north-1")
    assert incident is not None
    incident.alerted_kinds = []
    tank.tank.level.latched = []
    (closed,) = decide(tank)
    assert (closed.change, closed.alert) == ("closed", False)


@pytest.mark.parametrize("field", ["rise", "gap"])
def test_a_tank_that_still_rises_or_has_a_gap_is_not_closed_yet(field: str) -> None:
    tank = tank_below("low")
    decide(tank)
    tank.tank.level.latched = []
    if field == "rise":
        tank.tank.flow.rise = RISING
    else:
        tank.tank.gap = Gap(Settling())
    assert decide(tank) == []
    tank.tank.flow.rise = tank.tank.gap = None
    assert [c.change for c in decide(tank)] == ["closed"]


def test_a_milder_level_is_updated_without_an_alert_once_the_rise_is_over() -> None:
    tank = tank_below("low", "critical", litres=140.0)
    decide(tank)
    tank.tank.level.latched = ["low"]
    tank.tank.flow.rise = RISING
    assert decide(tank) == []
    tank.tank.flow.rise = None
    assert [(c.change, c.kind, c.alert) for c in decide(tank)] == [("updated", "low", False)]


def waits(tank: HandledTank, **how: Any) -> TankState:
    """The tank, after an alert of it had to wait."""
    assert decide(tank, **how) == []
    assert tank.tank.alert_waits is True
    return tank.tank


def test_backlog_alerts_once_it_is_the_present() -> None:
    tank = tank_below("low")
    waits(tank, live=False)
    assert [c.alert for c in decide(tank)] == [True]
    assert tank.tank.alert_waits is False


def test_an_alert_that_waited_is_dropped_when_the_tank_is_full_again() -> None:
    tank = tank_below("low")
    state = waits(tank, live=False)
    state.level.latched = []
    assert decide(tank) == []
    assert state.alert_waits is False


def decided_later(tank: HandledTank) -> list[str]:
    tank.context.outputs = []
    water.decide_waiting(tank.context, tank.tank)
    return [o.kind for o in tank.context.outputs if isinstance(o, IncidentChange)]


def test_an_alert_that_waited_is_sent_unless_the_node_is_silent_by_then() -> None:
    tank = tank_below("low")
    waits(tank, live=False)
    tank.device.presence = "silent"
    assert decided_later(tank) == []
    tank.device.presence = "late"
    assert decided_later(tank) == ["low"]


def test_without_an_alert_that_waits_nothing_is_decided() -> None:
    assert decided_later(tank_below("low")) == []


@pytest.mark.parametrize(
    ("kind", "waiting"), [("move", True), ("cleaning", True), ("eviction_risk", False)]
)
def test_only_a_move_or_a_cleaning_delays_an_alert(kind: Any, waiting: bool) -> None:
    plans = [Plan("north-1", T0 - HOUR, T0 + hours * HOUR, kind) for hours in (2, 3, 1)]
    tank = tank_below("low", plans=plans)
    assert [c.kind for c in decide(tank)] == ([] if waiting else ["low"])
    assert tank.tank.due.get("plan") == (T0 + 3 * HOUR + 1 if waiting else None)


def test_the_worst_threshold_names_the_level() -> None:
    context: WatchContext = handled_tank().context
    level = context.tank("north-1").level
    assert water.worst_kind(level) is None
    for latched, kind in ((["low"], "low"), (["critical", "low"], "critical")):
        level.latched = latched
        assert water.worst_kind(level) == kind
    level.latched = ["empty", "critical", "low"]
    assert water.worst_kind(level) == "empty"

"""What a page shows of one tank."""

from gateway.domain.outputs import Span, TankNow
from gateway.domain.watch import view
from gateway.domain.watch.tracks.tilt import TiltedSpell
from tests.unit.handled_tank import HandledTank, handled_tank
from tests.unit.tank_story import T0


def tank_with_all() -> HandledTank:
    """A tank of 600 L about which everything is known."""
    found = handled_tank(capacity_l=600.0)
    tank, device, use = found.tank, found.device, found.context.profile("north-1")
    level = tank.level
    level.at, level.received, level.volume_l, level.sd_l = T0 - 60.0, T0 - 50.0, 400.2, 6.5
    level.state, level.since = "low", T0 - 500.0
    tank.flow.recent = [[T0 - 3600.0 + 900 * n, 420.2 - 5.0 * n] for n in range(5)]
    tank.flow.refill_at, tank.flow.refill_l = T0 - 9000.0, 333.0
    tank.low_at, tank.empty_at = [T0 + 1.0, T0 + 2.0, T0 + 3.0], [T0 + 4.0, T0 + 5.0, T0 + 6.0]
    use.critical_at = [T0 + 7.0, T0 + 8.0, T0 + 9.0]
    use.next_round_at, use.dry_before_round = T0 + 777.0, 0.25
    device.presence, device.presence_since = "late", T0 - 20.0
    device.battery_mv, device.rssi_dbm, device.auth = 3777, -71, "sig"
    return found


def shown(of: HandledTank) -> TankNow:
    return view.tank_now(of.context, "north-1")


FORECAST = {
    "trend_lph": None, "low_at": None, "empty_at": None, "critical_at": None,
    "next_round_at": None, "dry_before_round": None,
}  # fmt: skip
"""Fields that are empty while the level is not known."""


def differences(of: HandledTank) -> dict[str, object]:
    """The fields that differ from a tank about which everything is known."""
    usual, now = shown(tank_with_all()), shown(of)
    names = TankNow.__dataclass_fields__
    return {n: getattr(now, n) for n in names if getattr(now, n) != getattr(usual, n)}


def test_everything_that_is_known_is_shown() -> None:
    assert shown(tank_with_all()) == TankNow(
        tank="north-1", state="low", state_since=T0 - 500, at=T0 - 60, received=T0 - 50,
        volume_l=400.2, sd_l=6.5, pct=66.7, trend_lph=-20.0,
        low_at=Span(T0 + 1, T0 + 2, T0 + 3), empty_at=Span(T0 + 4, T0 + 5, T0 + 6),
        presence="late", presence_since=T0 - 20, due=T0 + 900, last_refill_at=T0 - 9000,
        last_refill_l=333.0, battery_mv=3777, rssi_dbm=-71, auth="sig",
        critical_at=Span(T0 + 7, T0 + 8, T0 + 9), next_round_at=T0 + 777, dry_before_round=0.25,
    )  # fmt: skip


def test_of_a_silent_node_the_last_level_is_shown_and_no_forecast() -> None:
    tank = tank_with_all()
    tank.device.presence = "silent"
    assert differences(tank) == {
        **FORECAST, "presence": "silent", "state": "unknown", "state_since": T0 - 50,
    }  # fmt: skip


def test_of_a_faulty_sensor_the_last_level_is_shown_and_no_forecast() -> None:
    tank = tank_with_all()
    tank.tank.health.faulty, tank.tank.health.fault_at = True, T0 - 333.0
    assert differences(tank) == {**FORECAST, "state": "fault", "state_since": T0 - 333}


def test_of_a_tilted_tank_the_level_before_the_tilt_is_shown_and_no_forecast() -> None:
    tank = tank_with_all()
    tank.tank.tilted = TiltedSpell(at=T0 - 40.0, before=[T0 - 45.0, T0 - 44.0, 300.0, 5.5])
    assert differences(tank) == {
        **FORECAST, "state": "unknown", "state_since": T0 - 40, "at": T0 - 45,
        "received": T0 - 44, "volume_l": 300.0, "sd_l": 5.5, "pct": 50.0,
    }  # fmt: skip


def test_of_a_tank_that_was_tilted_before_its_first_level_none_is_shown() -> None:
    tank = tank_with_all()
    tank.tank.tilted = TiltedSpell(at=T0 - 40.0, before=[])
    now = shown(tank)
    assert (now.at, now.received, now.volume_l, now.sd_l, now.pct) == (None,) * 5
    assert now.state_since == T0 - 40


def test_of_a_tank_without_a_source_the_level_is_shown() -> None:
    tank = tank_with_all()
    tank.tank.source = ""
    assert differences(tank) == {
        "presence": "speaking", "presence_since": None, "due": None, "battery_mv": None,
        "rssi_dbm": None, "auth": None,
    }  # fmt: skip


def test_of_a_tank_without_a_profile_the_first_forecast_is_shown() -> None:
    tank = tank_with_all()
    del tank.context.profiles["north-1"]
    assert differences(tank) == {
        "critical_at": None, "next_round_at": None, "dry_before_round": None,
    }  # fmt: skip


def test_without_a_forecast_no_span_is_shown() -> None:
    tank = tank_with_all()
    tank.tank.low_at, tank.tank.empty_at = [], []
    assert differences(tank) == {"low_at": None, "empty_at": None}


def test_a_tank_without_a_level_is_shown_without_one() -> None:
    tank = handled_tank()
    now = shown(tank)
    assert (now.state, now.state_since) == ("unknown", None)
    assert (now.at, now.received, now.volume_l, now.sd_l, now.pct) == (None,) * 5
    assert now.due == T0 + 900


def test_an_unknown_tank_is_unknown() -> None:
    context = handled_tank().context
    assert view.tank_now(context, "south-9") == TankNow("south-9", "unknown", None)
    context.tank("south-9")
    assert view.tank_now(context, "south-9") == TankNow("south-9", "unknown", None)

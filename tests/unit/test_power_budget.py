"""The power budget that makers plan with is what the table of currents and times gives."""

import ast
import contextlib
import re
from pathlib import Path
from typing import Any

import pytest

from firmware.virtual.host import energy
from server.command.device.wishes import BOARDS

GUIDE = Path(__file__).parents[2] / "hardware/ibc-firebeetle/README.md"
LTE_GUIDE = GUIDE.parents[1] / "ibc-t-sim7080g/README.md"
DEFAULT_GUIDE = GUIDE.parents[1] / "ibc-xiao-esp32s3/README.md"
ROW = re.compile(
    r"^\| ([\w ,-]+) \| (Wi-Fi|LTE-M), ([\w ]+) \| ([\d.]+) \| (\d+) \|$", re.MULTILINE
)
OFTEN = {4: "4 times a day", 24: "hourly", 96: "every 15 minutes"}
UPLINK = {"wifi": "Wi-Fi", "lte": "LTE-M"}


def test_the_guides_power_budget_is_the_tables() -> None:
    wanted = [
        (
            energy.CLASSES[name].name,
            UPLINK[uplink],
            OFTEN[reports],
            f"{energy.mah_a_day(energy.CLASSES[name], reports, uplink):.1f}",
            f"{energy.USABLE_MAH / energy.mah_a_day(energy.CLASSES[name], reports, uplink):.0f}",
        )
        for name, uplink, reports in energy.PLANS
    ]
    assert ROW.findall(GUIDE.read_text("utf-8")) == wanted
    # The other pages have their own board's rows of the same table.
    for board, guide in (("t_sim7080g", LTE_GUIDE), ("xiao_esp32s3", DEFAULT_GUIDE)):
        here = [row for row in wanted if row[0] == energy.CLASSES[board].name]
        assert here and ROW.findall(guide.read_text("utf-8")) == here


def test_no_row_has_a_modem_that_its_board_has_not() -> None:
    assert {name for name, uplink, _ in energy.PLANS if uplink == "lte"} == {
        name for name, modem in BOARDS.items() if modem
    }


def test_a_pad_that_is_not_cut_costs_half_of_the_days() -> None:
    cut, uncut = (
        energy.mah_a_day(energy.CLASSES[name], 24) for name in ("firebeetle", "firebeetle_pad")
    )
    assert uncut - cut == pytest.approx(12.0, abs=0.1)


def test_it_agrees_with_the_designs_own_figures() -> None:
    """Its days were computed apart from this table, with the same seconds for sensing and joining:
    191 to 219 with the pad cut, 103 uncut, 120 and 53 by LTE-M. Each is within 7 %."""
    for name, uplink, reports, days in (
        ("firebeetle", "wifi", 24, 219),
        ("firebeetle_pad", "wifi", 24, 103),
        ("t_sim7080g", "lte", 4, 120),
        ("t_sim7080g", "lte", 24, 53),
    ):
        found = energy.USABLE_MAH / energy.mah_a_day(energy.CLASSES[name], reports, uplink)
        assert found == pytest.approx(days, rel=0.07), (name, uplink, reports)


def test_a_wake_senses_and_joins_for_as_long_as_its_parts_take() -> None:
    """By their makers: five values of 300 ms each after the start; 13 channels of 120 ms each."""
    assert energy.SENSE_S == pytest.approx(0.4 + 5 * 0.3) == pytest.approx(1.9)
    assert energy.JOIN_S == pytest.approx(13 * 0.12 + 0.94) == pytest.approx(2.5)
    driver = _constants("drivers/a02yyuw.py")
    assert driver["_FIRST_WAIT_MS"] > 1000 * (energy.WARM_UP_S + energy.FRAME_S)
    assert driver["_WAIT_MS"] > 1000 * energy.FRAME_S
    sampling = _constants("node/measure/sampling.py")
    assert sampling["_MOMENTS"][0] == energy.SAMPLES
    longest_ms = 1000 * (energy.WARM_UP_S + (sampling["_MOMENTS"][-1] - 1) * energy.FRAME_S)
    assert longest_ms < sampling["_BUDGET_MS"]  # nine samples fit: the last is awaited in any case
    assert _constants("lib/wifi.py")["_JOIN_MS"] > 1000 * energy.JOIN_S
    guide = " ".join(GUIDE.read_text("utf-8").split())
    assert "senses for 1.9 s" in guide and "known access point in 2.5 s" in guide


def _constants(path: str) -> dict[str, Any]:
    """The firmware's constants of a module by name, also within ``const(…)``."""
    found = dict[str, Any]()
    tree = ast.parse((GUIDE.parents[2] / "firmware/device" / path).read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign):
            value = node.value
            with contextlib.suppress(ValueError):
                given = value.args[0] if isinstance(value, ast.Call) else value
                found[ast.unparse(node.targets[0])] = ast.literal_eval(given)
    return found


def test_a_hand_calculation_of_one_wake_agrees() -> None:
    wake = {"cpu": 3600.0, "sensor": 1800.0, "asleep": 3600.0}
    assert energy.mah(wake, energy.CLASSES["nodemcu32s"]) == pytest.approx(43 + 4 + 4.7)


def test_the_meter_counts_what_was_switched_on_even_if_the_power_failed() -> None:
    meter = energy.Meter(energy.CLASSES["firebeetle"])
    meter.record({"op": "pin_set", "role": "sensor_power", "level": 1, "ms": 100}, None)
    meter.record({"op": "pin_set", "role": "sensor_power", "level": 0, "ms": 1300}, None)
    meter.record({"op": "wifi_active", "on": True, "ms": 1500}, None)
    meter.record({"op": "wifi_status", "ms": 2500}, [1001, 200])
    meter.record({"op": "wifi_status", "ms": 2700}, [1010, 0])
    meter.awake(3000)
    assert meter.seconds["sensor"] == pytest.approx(1.2)
    assert meter.seconds["join"] == pytest.approx(1.2)
    assert meter.seconds["talk"] == pytest.approx(0.3 + energy.NETWORK_S + energy.COMPOSE_S)
    meter.record({"op": "wifi_active", "on": True, "ms": 1000}, None)
    meter.record({"op": "wifi_status", "ms": 4000}, [1001, 200])
    meter.awake()
    assert meter.seconds["join"] == pytest.approx(1.2 + 3.0)
    assert meter.connections == 1

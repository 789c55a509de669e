"""What begins recovery mode, and what does not: modelled shaking, judged by the node itself.

The shaking is modelled, not measured in a field (SENSES.md).
"""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from firmware.virtual.host import interpreter
from firmware.virtual.host.accelerometer import acceleration_mg
from firmware.virtual.host.world import Model, World
from tests.parts import require

HERE = Path(__file__).parent
DEVICE = HERE.parents[1] / "firmware" / "device"
START = 1795431600.0
SAMPLES, SAMPLE_S = 450, 0.02
TRACES = int(os.environ.get("NORIA_TRACES", "60"))
QUIET = Model(draw_lph=0.0, spike_share=0.0)

Act = Callable[[World], None]


def _trace(act: Act, seed: int, model: Model = QUIET) -> list[list[int]]:
    """Nine seconds of samples from half a second before ``act`` acts on the tank."""
    now = START - 0.5
    world = World(model, lambda: now, str(seed))
    samples: list[list[int]] = []
    acted = False
    for number in range(SAMPLES):
        now = START - 0.5 + number * SAMPLE_S
        if not acted and now >= START:
            act(world)
            acted = True
        samples.append([round(mg) for mg in acceleration_mg(world, now)])
    return samples


def _verdicts(act: Act, model: Model = QUIET) -> list[dict[str, Any]]:
    require("micropython")
    found = interpreter.find()
    assert found is not None
    traces = "".join(json.dumps(_trace(act, seed, model)) + "\n" for seed in range(TRACES))
    ran = subprocess.run(
        found.command(
            [str(HERE / "on_device" / "motion_call.py")], heap="1M", micropypath=[str(DEVICE)]
        ),
        input=traces,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    verdicts = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(verdicts) == TRACES
    return verdicts


def _all_at_once(world: World) -> None:
    world.wind()
    world.lean()
    world.refill(400.0)
    world.knock()


def _fill_while_drumming(world: World) -> None:
    world.refill(400.0)
    world.drum()


QUIET_THINGS: dict[str, Act] = {
    "nothing": lambda world: None,
    "a knock": lambda world: world.knock(),
    "drumming fists": lambda world: world.drum(),
    "wind": lambda world: world.wind(),
    "filling": lambda world: world.refill(600.0),
    "people leaning": lambda world: world.lean(),
    "wind, filling, a knock and people leaning": _all_at_once,
    "drumming while it is filled": _fill_while_drumming,
}


@pytest.mark.parametrize("thing", QUIET_THINGS)
def test_daily_life_is_not_an_alarm(thing: str) -> None:
    verdicts = _verdicts(QUIET_THINGS[thing])
    assert [one for one in verdicts if one["confirmed"]] == []
    assert all(one["ms"] < 5000 for one in verdicts)  # the gateway's line between knock and hands


@pytest.mark.parametrize("litres", [0.0, 700.0])
def test_hands_that_carry_it_are_an_alarm_within_eight_seconds(litres: float) -> None:
    verdicts = _verdicts(lambda world: world.carry(60.0), replace(QUIET, level_l=litres))
    missed = [one for one in verdicts if not one["confirmed"]]
    assert missed == [], f"{len(missed)} of {TRACES} missed"
    assert all(one["ms"] >= 5000 and one["mg"] > 1100 and one["s"] <= 8 for one in verdicts)


def test_a_tank_that_is_seized_is_an_alarm() -> None:
    verdicts = _verdicts(lambda world: world.seize())
    assert all(one["confirmed"] for one in verdicts)


def test_a_tank_that_lies_still_on_its_side_is_an_alarm_with_its_angle() -> None:
    verdicts = _verdicts(lambda world: None, replace(QUIET, mount_deg=45.0))
    assert all(one["tilted"] and one["deg"] == 45 and one["ms"] >= 5000 for one in verdicts)


def test_fifteen_degrees_are_no_tilt() -> None:
    verdicts = _verdicts(lambda world: None, replace(QUIET, mount_deg=15.0))
    assert not any(one["confirmed"] for one in verdicts)
    assert {one["deg"] for one in verdicts} == {15}


def test_a_bump_costs_a_look_of_a_few_seconds() -> None:
    verdicts = _verdicts(lambda world: world.knock())
    assert all(one["s"] <= 3 for one in verdicts)

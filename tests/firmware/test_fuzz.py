"""Corrupted byte streams to the real node on MicroPython: nothing crashes, hangs or is believed.

``make test`` runs a few thousand; the benchmark 100,000 of each kind, and a million bursts.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from firmware.virtual.host import interpreter
from tests.parts import require

HERE = Path(__file__).parent
DEVICE = HERE.parents[1] / "firmware" / "device"
MANY = 100_000
PASSED_AT_MOST = 1e-4
"""Of bursts more than half corrupted: three corrupted samples or more within one window."""


def _run(script: str, timeout_s: float, heap: str = "128K", **given: Any) -> list[dict[str, Any]]:
    require("micropython")
    found = interpreter.find()
    assert found is not None
    ran = subprocess.run(
        found.command(
            [str(HERE / "on_device" / script)],
            heap=heap,  # words are 64 bits: a heap of 64 KB on the chip
            micropypath=[str(DEVICE), str(HERE / "on_device")],
        ),
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def _buses(count: int, timeout_s: float) -> None:
    outcomes = _run("fuzz_buses.py", timeout_s, count=count, seed=7)[0]
    print(f"\n{count} corrupted bus streams: {outcomes}")
    assert sum(outcomes.values()) == count
    # Each kind of outcome was reached: the streams are neither all noise nor all sound.
    assert {"value", "look", "missing", "garbage", "disagree", "no_echo"} <= set(outcomes)


def _mqtt(count: int, timeout_s: float) -> None:
    outcomes = _run("fuzz_mqtt.py", timeout_s, count=count, seed=7)[0]
    print(f"\n{count} corrupted MQTT streams: {outcomes}")
    assert outcomes["data"] + outcomes["refused"] == count
    assert outcomes["data"] > count / 50 and outcomes["refused"] > count / 4
    assert outcomes["longest_ms"] < 3000
    assert outcomes["held_between"] < 100_000


def _residual(count: int, timeout_s: float) -> None:
    for outcomes in _run("residual_call.py", timeout_s, count=count, seed=7):
        bursts = outcomes["bursts"]
        rate, wrong = outcomes["passed"] / bursts, outcomes["wrong"] / bursts
        print(f"\n{outcomes['sensor']}: {rate:.1e} of {bursts} passed, {wrong:.1e} wrong")
        assert rate <= PASSED_AT_MOST + 3 * (PASSED_AT_MOST / count) ** 0.5
        assert outcomes["wrong"] == 0


def test_no_corrupted_bus_stream_crashes_or_hangs_a_driver() -> None:
    _buses(6000, 100)


def test_no_corrupted_stream_crashes_hangs_or_swells_the_mqtt_client() -> None:
    _mqtt(4000, 100)


def test_a_burst_that_is_mostly_corrupted_does_not_pass() -> None:
    _residual(4000, 100)


@pytest.mark.benchmark
@pytest.mark.timeout(3700)
def test_a_hundred_thousand_corrupted_streams_of_each_kind() -> None:
    _buses(MANY, 1800)
    _mqtt(MANY, 1800)


@pytest.mark.benchmark
@pytest.mark.timeout(3700)
def test_the_residual_rate_of_each_sensor() -> None:
    _residual(10 * MANY, 1800)

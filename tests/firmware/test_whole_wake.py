"""The real firmware on a virtual ESP32, through a real Mosquitto, to a gateway of a few
lines: what happens over many wakes."""

import itertools
import json
import random
from pathlib import Path
from typing import Any

import pytest

from gateway.wire import decode
from tests.firmware.board_at_work import DEVICE, KEY, UPLINK, Work, board
from tests.firmware.signing_gateway import SigningGateway, digest
from tests.parts import require
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until


def _follow(work: Work, gateway: SigningGateway) -> None:
    gateway.clock = work.fleet.clock.now


def _unbroken(gateway: SigningGateway) -> bool:
    """One era from its first message, no hole, each with the hash of the one before."""
    ordered = gateway.ordered
    messages = [json.loads(obj) for obj in ordered]
    return (
        len({message["era"] for message in messages}) == 1
        and messages[0]["prev"] == ""
        and all(json.loads(b)["prev"] == digest(a) for a, b in itertools.pairwise(ordered))
        and all(_follows(a, b) for a, b in itertools.pairwise(messages))
    )


def _follows(before: dict[str, Any], after: dict[str, Any]) -> bool:
    step = (after["boot"] - before["boot"], after["seq"] - before["seq"])
    return step == (0, 1) or (step[0] == 1 and after["seq"] == 1)


def _sound(gateway: SigningGateway) -> bool:
    """The project's own gateway reads every message without a flag."""
    return all(decode(obj, device=DEVICE).flag is None for obj in gateway.ordered)


def _all_after(gateway: SigningGateway, count: int, timeout_s: float = 40.0) -> None:
    """Wait for more than ``count`` messages without a hole among them."""
    gateway.until(lambda: len(gateway.stored) > count and _unbroken(gateway), timeout_s)


@pytest.mark.parametrize("interpreter", ["micropython", "cpython"])
def test_readings_arrive_in_an_unbroken_chain(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway, interpreter: str
) -> None:
    with board(tmp_path, mosquitto.port, interpreter=interpreter) as work:
        _follow(work, gateway)
        _all_after(gateway, 4)
        messages = gateway.messages
    first = messages[0]
    assert (first["boot"], first["seq"], first["old"], first["next"]) == (1, 1, [1, 1], 900)
    assert first["e"][0]["k"] == "boot" and first["e"][0]["c"] == "power"
    assert first["ts"] == "ntp" and abs(first["t"] - work.fleet.clock.now()) < 36000
    # 700 litres in an IBC are 654 mm high, under a sensor at 1100.
    assert 430 < first["r"][0]["mm"] < 460 and first["r"][0]["n"] >= 5
    assert gateway.refused == 0 and "Traceback" not in work.console
    assert _sound(gateway)


def test_nothing_is_lost_while_the_gateway_is_away(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    gateway.acks = False
    with board(tmp_path, mosquitto.port) as work:
        _follow(work, gateway)
        gateway.until(lambda: len(gateway.messages) >= 4)
        # No live ack: nothing is sent twice, the broker holds it.
        assert len(gateway.arrived) == len(gateway.messages)
        gateway.acks = True
        count = len(gateway.messages)
        _all_after(gateway, count + 1)


def test_a_broker_that_lost_everything_is_filled_again(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    """PUBACK frees nothing: the gateway missed the first messages, and gets them all."""
    require("micropython")
    with board(tmp_path, mosquitto.port) as work:
        until(lambda: work.count("sleep") >= 5, 40)
        mosquitto.kill()
        for stored in mosquitto.folder.glob("mosquitto.db*"):
            stored.unlink()
        mosquitto.start()
        with SigningGateway(mosquitto.port, DEVICE, KEY) as gateway:
            _follow(work, gateway)
            _all_after(gateway, 4)


def test_readings_wait_on_flash_while_the_network_is_out(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    with board(tmp_path, mosquitto.port) as work:
        _follow(work, gateway)
        gateway.until(lambda: len(gateway.messages) >= 2)
        work.do("network_out", uplink=UPLINK)
        silent, wakes = len(gateway.messages), work.wakes
        until(lambda: work.wakes >= wakes + 8, 40)
        assert len(gateway.messages) <= silent + 1  # one may have been under way
        work.do("network_back", uplink=UPLINK)
        _all_after(gateway, silent + 1)
        readings = [r for message in gateway.messages for r in message["r"]]
    assert len(readings) >= wakes + 8


def _cut(work: Work, after_bytes: int) -> None:
    """Fail the power after so many flash bytes of a boot; one that writes fewer ends normally."""
    torn = work.count("torn")
    while work.count("torn") == torn:
        wakes = work.wakes
        work.do("cut_flash", after_bytes=after_bytes)
        until(lambda wakes=wakes: work.wakes > wakes, 40)


def test_the_power_may_fail_in_any_flash_write(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    random.seed(5)
    with board(tmp_path, mosquitto.port) as work:
        _follow(work, gateway)
        gateway.until(lambda: len(gateway.messages) >= 2)
        for _ in range(8):
            _cut(work, random.randint(0, 400))
        _all_after(gateway, len(gateway.messages) + 1)
        boots = {message["boot"] for message in gateway.messages}
    assert len(boots) > 1  # a boot that died before its first reading never counted
    assert "Traceback" not in work.console


def test_a_seizure_is_reported_at_once_with_its_evidence(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    with board(tmp_path, mosquitto.port, speed=120) as work:
        _follow(work, gateway)
        gateway.until(lambda: len(gateway.messages) >= 1)
        work.do("seize", mode="carried", after_s=100000)
        gateway.until(lambda: any(event["k"] == "tilt" for event in gateway.events))
        gateway.until(lambda: sum(m["next"] == 30 for m in gateway.messages) >= 3)
    motion = next(event for event in gateway.events if event["k"] == "motion")
    assert motion["ms"] >= 4000 and motion["mg"] > 900
    tilt = next(event for event in gateway.events if event["k"] == "tilt")
    assert tilt["deg"] > 20
    assert _sound(gateway)


def test_one_bump_is_one_quiet_event(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    with board(tmp_path, mosquitto.port, report_s=1800) as work:
        _follow(work, gateway)
        until(lambda: work.count("sleep") >= 1, 40)
        work.do("knock")
        gateway.until(lambda: any(event["k"] == "motion" for event in gateway.events))
    report = next(m for m in gateway.messages if any(e["k"] == "motion" for e in m.get("e", [])))
    assert report["next"] == 1800  # the schedule's, not recovery's
    motion = [event for event in gateway.events if event["k"] == "motion"]
    assert len(motion) == 1 and motion[0]["ms"] < 5000


def test_a_down_is_obeyed_once_and_answered(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    order = {
        "v": 1,
        "n": 1795212000,
        "set": {"interval_s": 300, "report_s": 1200},
        "once": [{"id": "r1", "do": "reboot"}],
    }
    with board(tmp_path, mosquitto.port) as work:
        _follow(work, gateway)
        gateway.until(lambda: len(gateway.messages) >= 1)
        gateway.publish("down", json.dumps({**order, "n": 1795300000}).encode(), key=bytes(32))
        gateway.publish("down", json.dumps(order).encode())
        _all_after(gateway, 4)
    confirmed = [event for event in gateway.events if event["k"] == "conf"]
    assert [event["n"] for event in confirmed] == [1795212000] and confirmed[0]["ok"] is True
    assert gateway.messages[-1]["next"] == 1200
    boots = [event["c"] for event in gateway.events if event["k"] == "boot"]
    assert boots == ["power", "power"]  # a commanded reset is a hard one
    assert _sound(gateway)


def test_acks_that_prove_nothing_free_nothing(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Forged and foreign acks; then the honest gateway comes and still gets every message."""
    require("micropython")
    with (
        SigningGateway(mosquitto.port, DEVICE, KEY, acks=False) as gateway,
        board(tmp_path, mosquitto.port) as work,
    ):
        _follow(work, gateway)
        gateway.until(lambda: len(gateway.messages) >= 2)
        last = gateway.messages[-1]
        h = digest(gateway.arrived[-1])
        gateway.publish("ack", gateway.ack_object(last, h), key=bytes(32))
        _another(gateway)
        gateway.publish("ack", gateway.ack_object({**last, "era": "zzzzzzzz"}, h))
        _another(gateway)
        # Nothing is freed yet: an ack below all messages makes it send all again.
        lost, gateway.arrived[:] = len(gateway.stored), []
        gateway.stored.clear()
        gateway.acks = True
        _all_after(gateway, lost)


def _another(gateway: SigningGateway) -> None:
    count = len(gateway.messages)
    gateway.until(lambda: len(gateway.messages) > count)


def test_an_ack_that_proves_a_twin_starts_a_new_era(tmp_path: Path, mosquitto: Mosquitto) -> None:
    require("micropython")
    with (
        SigningGateway(mosquitto.port, DEVICE, KEY, acks=False) as gateway,
        board(tmp_path, mosquitto.port) as work,
    ):
        _follow(work, gateway)
        gateway.until(lambda: len(gateway.messages) >= 2)
        last = gateway.messages[-1]
        gateway.publish("ack", gateway.ack_object(last, "A" * 22, last["seq"] + 40))
        gateway.until(lambda: len({key[0] for key in gateway.stored}) == 2)
        newer = next(m for m in gateway.messages if m["era"] != last["era"])
    assert (newer["boot"], newer["seq"], newer["prev"], newer["old"]) == (1, 1, "", [1, 1])


def test_jerrycans_are_weighed(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    with board(tmp_path, mosquitto.port, sensor="hx711", model={"kind": "station"}) as work:
        _follow(work, gateway)
        gateway.until(lambda: len(gateway.messages) >= 2)
    reading = gateway.messages[0]["r"][0]
    assert 170_000 < reading["g"] < 185_000 and reading["n"] >= 5  # 160 litres and 18 kg of tare

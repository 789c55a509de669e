"""The T-SIM7080G node, whole wakes: power chip, modem, PPP and satellite receiver by their wires,
the real firmware on MicroPython, a real Mosquitto."""

import re
from pathlib import Path
from typing import Any

from firmware.virtual.host.board import Board
from gateway.wire import decode
from tests.firmware.board_at_work import DEVICE, UPLINK, Work, board
from tests.firmware.signing_gateway import SigningGateway
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until

LTE: dict[str, Any] = {
    "compiled": True,
    "board": "t_sim7080g",
    "lte": {"apn": "iot.example"},
    "ntp": "",
}


def _board(work: Work) -> Board:
    return work.fleet.boards[DEVICE]


def _boot(gateway: SigningGateway) -> int:
    return max((message["boot"] for message in gateway.messages), default=0)


def _asleep(work: Work) -> None:
    count = work.count("sleep")
    until(lambda: work.count("sleep") > count, 40, "the next sleep")


def test_a_reading_goes_out_over_lte_and_everything_is_off_asleep(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    with board(tmp_path, mosquitto.port, speed=300, **LTE) as work:
        gateway.clock = work.fleet.clock.now
        gateway.until(lambda: len(gateway.messages) >= 3)
        _asleep(work)
        chip = _board(work).chip
        assert chip.power_chip.on == [0x01, 0x00, 0x00]  # the processor's rail alone
        log = list(chip.modem.log)
    first = gateway.messages[0]
    assert first["ts"] == "net" and first["rssi"] == -77
    assert abs(first["t"] - work.fleet.clock.now()) < 36000
    assert 430 < first["r"][0]["mm"] < 460 and 3300 < first["mv"] < 4200
    assert 'AT+CGDCONT=1,"IP","iot.example"' in log
    assert "AT during PPP" not in log
    # Every dial ends in a clean power-down, never in a pulled plug.
    assert log.count("ATD*99#") == log.count("AT+CPOWD=1") >= 3
    assert all(decode(obj, device=DEVICE).flag is None for obj in gateway.ordered)
    assert "Traceback" not in work.console


def test_no_lte_network_is_given_up_within_a_minute_and_readings_wait(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    with board(tmp_path, mosquitto.port, speed=600, model={"attach_s": 1e9}, **LTE) as work:
        until(lambda: work.count("sleep") >= 3, 60, "three wakes")
        log = list(_board(work).chip.modem.log)
        console = work.console
    waits = re.findall(r"modem: no network within (\d+) s", console)
    assert waits and all(50 <= int(seconds) <= 60 for seconds in waits)
    assert "ATD*99#" not in log and "AT+CPOWD=1" in log
    attempts = log.count("AT+CPIN?")
    assert attempts == log.count("AT+CPOWD=1") >= 2
    assert 40 * attempts <= log.count("AT+CEREG?") <= 60 * attempts
    assert work.count("watchdog") == 0 and gateway.messages == []


def test_a_seized_lte_node_reports_its_position_and_erases_it(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    with board(tmp_path, mosquitto.port, speed=120, gnss=True, **LTE) as work:
        gateway.clock = work.fleet.clock.now
        gateway.until(lambda: len(gateway.messages) >= 1)
        assert not any(event["k"] == "fix" for event in gateway.events)
        work.do("seize", mode="carried", after_s=100000)
        gateway.until(lambda: any(event["k"] == "fix" for event in gateway.events), 60)
        received = len(gateway.messages)
        gateway.until(lambda: len(gateway.messages) >= received + 2, 60)
        _asleep(work)
        log = list(_board(work).chip.modem.log)
    fix = next(event for event in gateway.events if event["k"] == "fix")
    assert abs(fix["lat"] - 4000000) < 20 and abs(fix["lon"] + 3000000) < 20 and fix["acc"] == 4
    # LTE and GNSS share one receiver: each waits until the other is off.
    at = log.index("AT+CGNSPWR=1")
    assert log[at - 1] == "AT+CFUN=0"
    assert "AT+CGNSPWR=0" in log[at : log.index("ATD*99#", at)]
    flash = (tmp_path / DEVICE / "ring.bin").read_bytes()
    assert f'"lat":{fix["lat"]}'.encode() not in flash


def test_a_dead_power_chip_costs_readings_but_not_the_node(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    with board(tmp_path, mosquitto.port, speed=600, **{**LTE, "board": "t_sim7080g"}) as work:
        _board(work).chip.power_chip.silent = True
        until(lambda: work.count("sleep") >= 3, 40, "three wakes")
        console = work.console
    assert "OSError(19,)" in console and "Traceback" not in console
    assert work.count("crash") + work.count("stuck") + work.count("watchdog") == 0


def test_each_boot_shows_another_hardware_address_and_a_neutral_name(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    nets = [{"ssid": "far", "password": "password a"}, {"ssid": "near", "password": "password b"}]
    with board(tmp_path, mosquitto.port, speed=600, wifi=nets) as work:
        gateway.clock = work.fleet.clock.now
        seen: list[str] = []
        for boots in (1, 2, 3):
            until(lambda n=boots: _boot(gateway) >= n, 40, "the boot's first message")
            seen.append(_board(work).chip.address)
            work.do("press_reset")
        assert _board(work).chip.host_name == "host"
    assert len(set(seen)) == 3
    assert all(int(address[:2], 16) & 0x03 == 0x02 for address in seen)
    assert UPLINK not in "".join(seen)

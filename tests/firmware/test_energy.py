"""What a node's days cost, from the states that the virtual board went through."""

import json
import threading
import time
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from firmware.virtual.host import energy
from tests.firmware.board_at_work import DEVICE, KEY, UPLINK, Work, board
from tests.firmware.signing_gateway import SigningGateway
from tests.parts import require
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until

HALF_A_YEAR_DAYS = 183
WEEK_S = 7 * 86400
_SAMPLE, _MESSAGE, _CHANGE = 2, 4, 5  # node/storage/records.py
# Beyond it the machine is so busy that its own delays are counted as the board's.
SPEED = 2000


def _written(image: Path) -> dict[int, list[int]]:
    """Sizes on flash of the records of a ring in its first sectors, by kind."""
    cells, found = image.read_bytes(), dict[int, list[int]]()
    for start in range(0, len(cells), 4096):
        at = start + 12
        while cells[start] != 0xFF and at + 7 <= start + 4096 and cells[at] != 0xFF:
            size = 7 + int.from_bytes(cells[at + 1 : at + 3], "little")
            found.setdefault(cells[at], []).append(size)
            at += size
    return found


def _quiet(work: Work) -> None:
    """Nobody draws: reports are the schedule's."""
    work.do("set_draw", litres_per_h=0)


def test_a_boards_states_are_those_that_the_budget_counts_with(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    require("micropython")
    with (
        SigningGateway(mosquitto.port, DEVICE, KEY) as gateway,
        board(tmp_path, mosquitto.port, speed=SPEED / 2, report_s=3600) as work,
    ):
        gateway.clock = work.fleet.clock.now
        _quiet(work)
        until(lambda: work.count("sleep") >= 19, 50)
        meter, wakes = work.fleet.boards[DEVICE].meter, work.count("sleep")
        seconds = dict(meter.seconds)
        connections, charge_mah = meter.connections, meter.mah
    kinds = _written(tmp_path / DEVICE / "ring.bin")
    print({kind: (len(sizes), sum(sizes)) for kind, sizes in kinds.items()})
    assert len(kinds[_SAMPLE]) >= wakes and set(kinds[_SAMPLE]) == {23}
    # A wake that only measures writes its reading and nothing else; a report about 180 bytes.
    assert len(kinds[_CHANGE]) <= 3 * connections + 1
    assert sum(kinds[_CHANGE] + kinds[_MESSAGE]) <= 230 * connections
    assert 3 <= connections <= 5  # at its boot, then hourly
    assert seconds["sensor"] / wakes == pytest.approx(energy.SENSE_S, rel=0.15)
    assert seconds["join"] / connections == pytest.approx(energy.JOIN_S, rel=0.15)
    nominal_mah = (
        wakes * energy.mah(energy.sense(), meter.board)
        + connections * energy.mah(energy.connection(tls=False), meter.board)
        + energy.mah({"asleep": seconds["asleep"]}, meter.board)
    )
    assert charge_mah == pytest.approx(nominal_mah, rel=0.1)


def test_the_cell_of_a_board_without_a_panel_gives_what_the_board_took(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    require("micropython")
    model = {"solar": False, "charge": 0.5}
    with board(tmp_path, mosquitto.port, speed=SPEED, model=model) as work:
        before_mv = work.fleet.boards[DEVICE].world.battery_mv
        until(lambda: work.count("sleep") >= 6, 40)
        one = work.fleet.boards[DEVICE]
        spent_mah, after_mv = one.meter.mah, one.world.battery_mv
    assert spent_mah > 0.1
    # 900 mV from full to flat, over the cell's usable charge.
    assert before_mv - after_mv == pytest.approx(spent_mah / energy.USABLE_MAH * 900, abs=1.5)


@pytest.mark.benchmark
def test_half_a_year_without_a_panel_for_wifi_hourly() -> None:
    print()
    for name, uplink, reports in energy.PLANS:
        kind = energy.CLASSES[name]
        a_day = energy.mah_a_day(kind, reports, uplink)
        days = energy.USABLE_MAH / a_day
        print(
            f"{kind.name:12} {uplink:5} {reports:3} a day: {a_day:6.1f} mAh a day, {days:4.0f} days"
        )
        if (name, uplink, reports) == ("firebeetle", "wifi", 24):
            assert days >= HALF_A_YEAR_DAYS


@pytest.mark.benchmark
@pytest.mark.timeout(900)
def test_a_simulated_day_of_hourly_reports_lasts_half_a_year(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    require("micropython")
    with (
        SigningGateway(mosquitto.port, DEVICE, KEY) as gateway,
        board(tmp_path, mosquitto.port, speed=SPEED / 2, report_s=3600) as work,
    ):
        gateway.clock = work.fleet.clock.now
        meter = work.fleet.boards[DEVICE].meter
        until(lambda: meter.seconds.get("asleep", 0) >= 86400, 600)
        a_day = meter.mah / sum(meter.seconds[s] for s in ("asleep", "cpu")) * 86400
        print(f"\n{meter.connections} connections, {work.wakes} wakes, {meter.seconds}")
    days = energy.USABLE_MAH / a_day
    print(f"{a_day:.1f} mAh a day with people drawing and no TLS: {days:.0f} days")
    assert days >= HALF_A_YEAR_DAYS


@pytest.mark.benchmark
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("away", ["gateway", "broker", "network"])
def test_a_week_away_arrives_and_is_sent_once(
    tmp_path: Path, mosquitto: Mosquitto, away: str
) -> None:
    """The gateway with a session that the broker keeps for it, as the project's own has."""
    require("micropython")
    queue = paho.Client(CallbackAPIVersion.VERSION2, f"gateway-{DEVICE}", clean_session=False)
    subscribed = threading.Event()
    queue.on_subscribe = lambda *_: subscribed.set()
    queue.connect("127.0.0.1", mosquitto.port)
    queue.subscribe(f"noria/1/{DEVICE}/up", 1)
    queue.loop_start()
    assert subscribed.wait(10)
    queue.disconnect()
    queue.loop_stop()
    with board(tmp_path / "board", mosquitto.port, speed=3 * SPEED, report_s=3600) as work:
        clock = work.fleet.clock.now
        until(lambda: work.count("sleep") >= 3, 60)
        if away == "broker":
            mosquitto.stop()
        elif away == "network":
            work.do("network_out", uplink=UPLINK)
        meter, began_at, began_s = work.fleet.boards[DEVICE].meter, clock(), time.monotonic()
        before_mah, before = meter.mah, dict(meter.seconds)
        until(lambda: clock() - began_at >= WEEK_S, 900)
        spent_mah = meter.mah - before_mah
        radio_s = sum(meter.seconds.get(s, 0) - before.get(s, 0) for s in ("join", "talk"))
        if away == "broker":
            mosquitto.start()
        elif away == "network":
            work.do("network_back", uplink=UPLINK)
        with SigningGateway(mosquitto.port, DEVICE, KEY, stored=True) as gateway:
            gateway.clock = clock
            wakes = work.wakes
            until(lambda: work.wakes > wakes + 60, 200)
            gateway.until(lambda: _contiguous(gateway), 60)
            arrived, distinct = len(gateway.arrived), len(gateway.stored)
            readings = sum(len(m["r"]) for m in gateway.messages)
    radio_mah = radio_s * (energy.WIFI_MA + energy.CPU_MA) / 3600
    print(
        f"\n{away} away for a week, {time.monotonic() - began_s:.0f} s: {spent_mah:.1f} mAh, "
        f"{radio_mah:.1f} of them by radio ({radio_mah / energy.USABLE_MAH:.1%} of the cell), "
        f"{work.wakes} wakes; {readings} readings in {distinct} messages, "
        f"{arrived / distinct:.2f} x sent"
    )
    assert readings >= work.wakes - 3
    assert arrived <= 1.2 * distinct
    assert radio_mah < 0.05 * energy.USABLE_MAH


def _contiguous(gateway: SigningGateway) -> bool:
    """From the first message to the newest, none is missing."""
    messages = [json.loads(obj) for obj in gateway.ordered]
    return len({m["boot"] for m in messages}) == 1 and [m["seq"] for m in messages] == list(
        range(1, len(messages) + 1)
    )

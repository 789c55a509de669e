"""Tests every part of a board once: ``noria device test``, or ``import selftest; selftest.main()``
at the prompt. Prints one JSON object a line. Clears the count of interrupted starts and failed
attempts, so that the node reports at its next start; changes nothing else on flash.
"""

import json
import os
import sys
import time

import board
from drivers import SensorError
from lib import wifi
from node import config
from node.measure import motion, sampling
from node.storage.queue import Queue
from node.storage.ring import Ring

_STREAM_MS = 400
_COUNTS = 10
_EARTH_MG = (850, 1150)  # gravity, with the chip's own offset
_SECTORS = 4


def main(path="config.json"):
    """Check every part of the board that ``path`` describes."""
    settings = config.load(path)
    hardware = board.named(settings.board)
    parts = (
        ("level", _level), ("battery", _battery), ("motion", _motion),
        ("ring", _ring), ("link", _link), ("identity", _identity),
    )  # fmt: skip
    for name, part in parts:
        hardware.feed()
        try:
            result = part(hardware, settings)
        except Exception as error:  # noqa: BLE001 - the next part is tested all the same
            sys.print_exception(error)
            result = {"ok": False, "say": str(error) or repr(error)}
        result["part"] = name
        print(json.dumps(result))
    hardware.sensor_off()
    hardware.radio_off()
    _begin_again(hardware)


def _begin_again(hardware):
    """Starts that were cut short on the bench would keep the radio off for hours."""
    try:
        nvs = hardware.nvs()
        nvs.set_i32("faults", 0)
        nvs.commit()
        queue = Queue(Ring(hardware.ring_device()), "")
        queue.state.fails = queue.state.retry_up = 0
        queue.save()
    except Exception as error:  # noqa: BLE001 - the verdicts matter more
        sys.print_exception(error)


def level(path="config.json"):
    """One reading, for calibrating."""
    settings = config.load(path)
    print(json.dumps(_level(board.named(settings.board), settings)))


def counts(path="config.json"):
    """The mean of raw HX711 conversions, for calibrating."""
    settings = config.load(path)
    hardware = board.named(settings.board)
    sensor = hardware.sensor(settings)
    read = []
    try:
        while len(read) < _COUNTS:
            read.append(sensor.read_counts())
    except SensorError as error:
        print(error)
    hardware.sensor_off()
    read.sort()
    print(json.dumps({"n": len(read), "counts": sampling.median(read) if read else None}))


def _level(hardware, settings):
    sensor = hardware.sensor(settings)
    burst = sampling.take_burst(sensor, time.ticks_ms, time.ticks_diff)
    hardware.sensor_off()
    result = {"ok": burst.value is not None, "quantity": sensor.quantity, "value": burst.value}
    result.update({"spread": burst.spread, "n": burst.valid, "of": burst.tried})
    if burst.code:
        result["code"] = burst.code
    return result


def _battery(hardware, settings):
    if not settings.battery:
        return {"ok": True, "say": "on mains"}
    mv = hardware.battery_mv()
    return {"ok": 3000 < mv < 4300, "mv": mv}


def _motion(hardware, settings):
    if not settings.motion:
        return {"ok": True, "say": "not fitted"}
    chip = hardware.accelerometer()
    if chip is None:
        return {"ok": False, "say": "no LIS3DH answers"}
    chip.stream()
    time.sleep_ms(_STREAM_MS)
    axes = motion.mean(chip.samples())
    if axes is None:
        return {"ok": False, "say": "the LIS3DH gives no samples"}
    chip.arm(axes)  # with this orientation as its rest
    time.sleep_ms(_STREAM_MS)
    pins = [int(hardware.motion.active()), int(hardware.tilt.active())]
    still = _EARTH_MG[0] < motion.magnitude(axes) < _EARTH_MG[1]
    return {"ok": still and pins == [0, 0], "mg": axes, "pins": pins}


def _ring(hardware, settings):
    sectors = hardware.ring_device().ioctl(4, 0)
    return {"ok": sectors >= _SECTORS, "sectors": sectors}


def _link(hardware, settings):
    link = hardware.link(settings, wifi.address(os.urandom(6)))
    start = time.ticks_ms()
    try:
        link.join()
        ms = time.ticks_diff(time.ticks_ms(), start)
        return {"ok": True, "rssi": link.rssi(), "ms": ms}
    finally:
        hardware.radio_off()


def _identity(hardware, settings):
    result = {"ok": True, "device": settings.device}
    try:
        identity = __import__("node.exchange.signing_key", None, None, ("public_key_hex",))
    except ImportError:
        return result  # a build that does not sign
    result["public_key"] = identity.public_key_hex(hardware)
    return result

"""Every part once, for whoever soldered it: ``noria device test``, or at the prompt
``import selftest; selftest.main()``. Prints one JSON object a line; changes nothing on flash.
"""

import json
import os
import sys
import time

import board
from drivers import presence
from lib import wifi
from node import config, measure

_SAMPLES, _SENSE_MS = 7, 3000
_COUNTS = 10
_EARTH_MG = (850, 1150)  # gravity, with the chip's own offset
_SECTORS = 4


def main(path="config.json"):
    """Check every part of the board that ``path`` describes."""
    settings = config.load(path)
    hardware = board.named(settings.board)
    for part in (_level, _battery, _motion, _ring, _link, _identity):
        hardware.feed()
        try:
            told = part(hardware, settings)
        except Exception as error:  # noqa: BLE001 - the next part is to be tried all the same
            sys.print_exception(error)
            told = {"ok": False, "say": str(error) or repr(error)}
        told["part"] = part.__name__[1:]
        print(json.dumps(told))
    hardware.sensor_off()
    hardware.radio_off()


def level(path="config.json"):
    """One reading, for calibrating."""
    settings = config.load(path)
    print(json.dumps(_level(board.named(settings.board), settings)))


def counts(path="config.json"):
    """The mean of raw HX711 conversions, for calibrating."""
    settings = config.load(path)
    hardware = board.named(settings.board)
    sensor = hardware.sensor(settings)
    read = [sensor.read_counts() for _ in range(_COUNTS)]
    hardware.sensor_off()
    valid = sorted(value for value in read if value is not None)
    print(json.dumps({"n": len(valid), "counts": measure.median(valid) if valid else None}))


def _level(hardware, settings):
    sensor = hardware.sensor(settings)
    samples = measure.sampled(sensor.read, time.ticks_ms, time.ticks_diff, _SAMPLES, _SENSE_MS)
    hardware.sensor_off()
    burst = measure.burst(samples)
    return {
        "ok": burst.valid * 2 > burst.tried,
        "quantity": sensor.quantity,
        "value": burst.value,
        "spread": burst.spread,
        "n": burst.valid,
        "of": burst.tried,
    }


def _battery(hardware, settings):
    if not settings.battery:
        return {"ok": True, "say": "on mains"}
    mv = hardware.battery_mv()
    return {"ok": 3000 < mv < 4300, "mv": mv}


def _motion(hardware, settings):
    chip = hardware.accelerometer()
    if chip is None:
        return {"ok": False, "say": "no LIS3DH answers"}
    axes = measure.mean([chip.read_mg() for _ in range(8)])
    deg = measure.tilt_deg(axes)
    level_and_still = _EARTH_MG[0] < measure.magnitude(axes) < _EARTH_MG[1]
    told = {"mg": axes, "deg": deg}
    told["pins"] = [int(hardware.motion.active()), int(hardware.tilt.active())]
    told["ok"] = level_and_still and deg < presence.TILT_DEG and told["pins"] == [0, 0]
    return told


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
    return {"ok": True, "device": settings.device}

"""Corrupted transfers on every sensor's bus: a count and a seed on standard input.

Prints the results. For any bytes on a bus, a driver returns a value, None or its own error, in
a bounded time; the burst and the looks that use it never fail. Anything else ends with a traceback.
"""

import json
import random
import sys

from drivers import SensorError, a02yyuw, ads1115, frames, hx711, jsn_sr04t, lis3dh
from node.measure import faults, motion, plausibility, sampling
from node.storage.state import State


class Time:
    """Time that passes only by waiting; a driver that never waits would hang."""

    def __init__(self):
        self.us = 0
        self.reads = 0

    def ticks_ms(self):
        self.reads += 1
        assert self.reads < 20000, "a driver asks for the time again and again: it hangs"
        return self.us // 1000

    def ticks_us(self):
        return self.us

    def ticks_diff(self, later, earlier):
        return later - earlier

    def sleep_ms(self, duration_ms):
        self.us += duration_ms * 1000

    def sleep_us(self, duration_us):
        self.us += duration_us


TRUE_MM = 431
CLOCK = Time()
for module in (frames, jsn_sr04t, ads1115, hx711):
    module.time = CLOCK


def corrupted(data, kind):
    """``data`` as a bad wire leaves it; ``kind`` 0 to 7."""
    bad = bytearray(data)
    if kind == 0 or not bad:
        return bytes(random.getrandbits(8) for _ in range(random.randint(0, 60)))
    at = random.randint(0, len(bad) - 1)
    if kind == 1:
        bad[at] ^= 1 << random.randint(0, 7)
    elif kind == 2:
        bad = bad[:at]
    elif kind == 3:
        bad = bad[:at] + bytes([random.getrandbits(8)]) + bad[at:]
    elif kind == 4:
        bad = bad[:at] + bad[at + 1 :]
    elif kind == 5:
        for _ in range(4):
            bad[random.randint(0, len(bad) - 1)] = random.getrandbits(8)
    elif kind == 6:
        bad = bytearray(b"\xff" * len(bad))
    else:
        bad = bytearray(len(bad))
    return bytes(bad)


class Uart:
    """Frames of about TRUE_MM, each corrupted or not, in chunks; then silence."""

    def __init__(self):
        share = random.random()
        frames = b""
        for _ in range(random.randint(0, 14)):
            mm = TRUE_MM + random.randint(-5, 5)
            frame = bytes((0xFF, mm >> 8, mm & 0xFF, (0xFF + (mm >> 8) + mm) & 0xFF))
            frames += corrupted(frame, random.randint(0, 7)) if random.random() < share else frame
        self._left = frames

    def read(self):
        size = random.randint(0, 9)
        part, self._left = self._left[:size], self._left[size:]
        return part or None

    def write(self, data):
        return len(data)


class I2c:
    """Registers that read anything, and now and then no acknowledge."""

    def __init__(self):
        self._silent = random.choice((0.0, 0.02, 0.3, 1.0))
        self._honest = random.random()

    def _may_fail(self):
        if random.random() < self._silent:
            raise OSError(random.choice((19, 110, 5)))

    def readfrom_mem(self, address, register, count):
        self._may_fail()
        if register == 0x0F and random.random() < 0.9:
            return b"\x33"
        if register == 1 and random.random() < self._honest:
            return b"\xc3\x03"
        return bytes(random.getrandbits(8) for _ in range(count))

    def writeto_mem(self, address, register, data):
        self._may_fail()


class Wires:
    """An HX711's two wires with noise on them, and clocks that sometimes last too long."""

    def __init__(self):
        self._noise = random.choice((0.0, 0.01, 0.5, 1.0))
        self._slow = random.choice((0.0, 0.001, 0.2))
        self._level = random.getrandbits(1)

    def value(self, level=None):
        if level == 0 and random.random() < self._slow:
            CLOCK.sleep_us(200)
        if random.random() < self._noise:
            self._level = random.getrandbits(1)
        return None if level is not None else self._level


def _pulse_us(most_us):
    return random.choice((-2, -1, random.randint(0, most_us), 2511))


def _uart_sensor():
    kind = random.choice((a02yyuw.A02YYUW, jsn_sr04t.SerialJSNSR04T))
    return kind(Uart())


def _pulse_sensor():
    return jsn_sr04t.PulseJSNSR04T(Wires(), _pulse_us)


def _probe():
    return ads1115.ADS1115(I2c(), 9807)


def _scale():
    wires = Wires()
    return hx711.HX711(wires, wires, 0, 21500)


class Config:
    floor_mm, near_mm = 1100, 60


def level(make, state, outcomes):
    """One burst of a sensor, judged as in a wake."""
    CLOCK.reads = 0
    sensor = make()
    burst = sampling.take_burst(sensor, CLOCK.ticks_ms, CLOCK.ticks_diff)
    code = burst.code
    if not code:
        bounds = plausibility.limits(Config, sensor)
        code = plausibility.judged(burst.value, bounds, sensor.blind_mm, state.good, 600, 0)
    assert code or isinstance(burst.value, int), burst.value
    if not code and make is _uart_sensor:
        assert abs(burst.value - TRUE_MM) <= 30, burst.value  # for every change of the bytes
    assert 0 <= burst.valid <= burst.tried <= 9
    faults.update(state, code)
    outcomes[code or "value"] = outcomes.get(code or "value", 0) + 1


def look(state, outcomes):
    """One look at an accelerometer."""
    try:
        chip = lis3dh.LIS3DH(I2c())
        chip.arm((random.randint(-1000, 1000), random.randint(-1000, 1000), 5))
        watch = motion.Watch((0, 0, random.choice((0, 1000))))
        chip.stream()
        for _ in range(3):
            watch.add(chip.samples())
        assert 0 <= watch.deg <= 180 and watch.lasted_ms >= 0
        chip.read_temperature()
        chip.read_mg()
        motion.rest_of(chip.samples())
        outcome = "look"
    except SensorError as error:
        outcome = error.code
    outcomes[outcome] = outcomes.get(outcome, 0) + 1


def main():
    given = json.load(sys.stdin)
    random.seed(given["seed"])
    state, outcomes = State(), {}
    makers = (_uart_sensor, _uart_sensor, _pulse_sensor, _probe, _scale)
    for number in range(given["count"]):
        if number % 6 == 5:
            look(state, outcomes)
        else:
            level(makers[number % 6], state, outcomes)
    print(json.dumps(outcomes))


main()

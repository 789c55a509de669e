"""Each driver against transactions as its data sheet shows them."""

import time

from drivers import a02yyuw, ads1115, battery, frames, jsn_sr04t, lis3dh
from recorded import I2c, Uart, code

FRAME_431 = b"\xff\x01\xaf\xaf"


# A02YYUW


def test_a_frame_is_found_among_noise():
    sensor = a02yyuw.A02YYUW(Uart(b"\x00\xff\x01" + FRAME_431 + b"\xff\x07"))
    assert sensor.read() == 431


def test_a_frame_may_come_in_pieces():
    sensor = a02yyuw.A02YYUW(Uart(b"\xff", None, b"\x01\xaf", None, b"\xaf" + FRAME_431))
    assert sensor.read() == 431 and sensor.read() == 431


def test_a_wrong_sum_is_no_frame():
    assert frames.split(b"\xff\x01\xaf\xae") == (None, b"\x01\xaf\xae")


def test_a_start_byte_in_the_data_is_no_distance():
    # 511 mm read one byte late: FF FF FF 01 would be 65 m.
    assert frames.split(b"\xff\xff\x01\xff")[0] is None
    assert frames.split(b"\xff\x01\xff\xff")[0] == b"\xff\x01\xff\xff"


def test_a_distance_outside_the_range_is_no_echo():
    assert a02yyuw.distance_mm(b"\xff\x00\x00\xff") is None
    assert a02yyuw.distance_mm(b"\xff\x11\x95\xa5") is None  # 4501
    assert a02yyuw.distance_mm(b"\xff\x11\x94\xa4") == 4500


def test_a_sensor_that_sends_nothing_is_missing():
    assert code(a02yyuw.A02YYUW(Uart()).read, a02yyuw.A02YYUWError) == "missing"


def test_a_sensor_that_sends_no_valid_frame_is_garbage():
    sensor = a02yyuw.A02YYUW(Uart(b"\x55" * 40))
    assert code(sensor.read, a02yyuw.A02YYUWError) == "garbage"


class _Flood:
    """A line that never rests."""

    def read(self):
        return b"\xff" * 256


def test_a_flood_ends_in_time():
    start = time.ticks_ms()
    assert code(a02yyuw.A02YYUW(_Flood()).read, a02yyuw.A02YYUWError) == "garbage"
    assert time.ticks_diff(time.ticks_ms(), start) < 1500


# JSN-SR04T


class _Trigger:
    def __init__(self):
        self.levels = []

    def value(self, level):
        self.levels.append(level)


def _pulses(*lengths_us):
    left = list(lengths_us)
    return jsn_sr04t.PulseJSNSR04T(_Trigger(), lambda most_us: left.pop(0))


def test_a_pulse_is_triggered_and_becomes_a_distance():
    trigger = _Trigger()
    sensor = jsn_sr04t.PulseJSNSR04T(trigger, lambda most_us: 5828)
    assert sensor.read() == 1000 and trigger.levels == [1, 0]  # 343.2 m/s: 5.828 ms there and back


def test_a_pulse_without_an_end_is_no_echo_and_no_pulse_a_missing_module():
    sensor = _pulses(-1, 38000, 900, -2)
    assert sensor.read() is None  # longer than 6 m
    assert sensor.read() is None  # 6.5 m
    assert sensor.read() is None  # 154 mm: inside the blind zone no echo is right
    assert code(sensor.read, jsn_sr04t.JSNSR04TError) == "missing"


def test_the_serial_mode_asks_and_reads_the_same_frame():
    uart = Uart(b"\xff\x07\xa1\xa7", b"\xff\x00\x64\x63")
    sensor = jsn_sr04t.SerialJSNSR04T(uart)
    assert sensor.read() == 1953 and uart.written == b"\x55"
    assert sensor.read() is None  # 100 mm
    assert code(sensor.read, jsn_sr04t.JSNSR04TError) == "missing"


# ADS1115 with a 4-20 mA probe


def _conversion(two_bytes, busy=0):
    start, waiting = [("w", 0x48, 1, b"\xc3\x03")], [("r", 0x48, 1, b"\x43\x03")] * busy
    return start + waiting + [("r", 0x48, 1, b"\xc3\x03"), ("r", 0x48, 0, two_bytes)]


def _probe(*transfers):
    bus = I2c(*transfers)
    return bus, ads1115.ADS1115(bus, 9807)


def test_a_conversion_becomes_pascals():
    bus, probe = _probe(*_conversion(b"\x25\x80", busy=2))  # 9600 counts: 1.2 V, 12 mA
    assert probe.read() == 4904 and bus.done


def test_the_loop_is_linear_from_four_to_twenty_milliamperes():
    assert ads1115.pressure_pa(4000, 0, 9807) == 0
    assert ads1115.pressure_pa(20000, 0, 9807) == 9807
    assert ads1115.pressure_pa(3984, 0, 9807) == -10
    assert ads1115.pressure_pa(12000, -100, 100) == 0
    assert ads1115.loop_ua(ads1115.count(b"\xff\xff"), 100) == -2


def test_a_broken_wire_and_a_short_have_different_codes():
    for two_bytes, fault in (
        (b"\x00\x02", "wire"),
        (b"\x0b\x3f", "wire"),
        (b"\x41\xab", "over"),
    ):
        _, probe = _probe(*_conversion(two_bytes))
        assert code(probe.read, ads1115.ADS1115Error) == fault
    _, probe = _probe(*_conversion(b"\x0b\x40"))  # 2880 counts: 3.6 mA, still a probe
    assert probe.read() == -245


def test_a_converter_that_does_not_answer_is_missing():
    _, probe = _probe(("w", 0x48, 1, None))
    assert code(probe.read, ads1115.ADS1115Error) == "missing"


def test_a_conversion_that_never_ends_is_stuck():
    _, probe = _probe(*_conversion(b"", busy=100)[:-2])
    assert code(probe.read, ads1115.ADS1115Error) == "stuck"


# LIS3DH

FOUND = ("r", 0x18, 0x0F, b"\x33")


def _writes(*pairs):
    return [("w", 0x18, register, bytes((value,))) for register, value in pairs]


ARMING = _writes(
    (0x24, 0x00), (0x2E, 0x00), (0x20, 0x2F), (0x21, 0x01), (0x22, 0x40), (0x23, 0x80),
    (0x25, 0x20), (0x32, 0x08), (0x33, 0x01), (0x30, 0x2A), (0x37, 0x0A),
)  # fmt: skip


def test_it_is_found_at_either_address():
    other = I2c(("r", 0x18, 0x0F, None), ("r", 0x19, 0x0F, b"\x33"), ("r", 0x19, 0x20, b"\x2f"))
    assert lis3dh.LIS3DH(other).armed and other.done
    silent = I2c(("r", 0x18, 0x0F, None), ("r", 0x19, 0x0F, b"\x00"))
    assert code(lambda: lis3dh.LIS3DH(silent), lis3dh.LIS3DHError) == "missing"


def test_arming_sets_thresholds_and_settles_the_filter():
    tilt = _writes((0x1F, 0xC0), (0x36, 0x16), (0x34, 0x0A))
    transfers = ARMING + tilt + [("r", 0x18, 0x26, b"\x00")]
    bus = I2c(FOUND, *transfers)
    lis3dh.LIS3DH(bus).arm((0, 0, 1000))
    assert bus.done


def test_the_tilt_watch_follows_the_mounting():
    assert lis3dh.tilt_watch((0, 0, 1000)) == (22, 0x0A)  # 352 mg on X or Y
    assert lis3dh.tilt_watch((0, -1000, 30)) == (24, 0x22)  # upright on Y: X or Z
    assert lis3dh.tilt_watch((-960, 170, 230)) == (36, 0x28)
    assert lis3dh.tilt_watch((0, 574, 819)) == (22, 0x02)  # 35 degrees askew: X alone


def test_the_fifo_is_emptied_in_one_read():
    still, moved = b"\x00\x00\x00\x00\x00\x3e", b"\x00\x3e\x00\xc2\x40\x00"
    setting = _writes((0x20, 0x47), (0x2E, 0x00), (0x24, 0x40), (0x2E, 0x80))
    reading = [
        ("r", 0x18, 0x2F, b"\x02"),
        ("r", 0x18, 0xA8, still + moved),
        ("r", 0x18, 0x2F, b"\x20"),
        ("r", 0x18, 0x2F, b"\x5f"),
        ("r", 0x18, 0xA8, still * 32),
    ]
    transfers = setting + reading
    bus = I2c(FOUND, *transfers)
    chip = lis3dh.LIS3DH(bus)
    chip.stream()
    assert chip.samples() == [(0, 0, 992), (992, -992, 4)]
    assert chip.samples() == []
    assert len(chip.samples()) == 32 and bus.done  # overrun: the newest 32


def test_temperature_is_signed():
    bus = I2c(FOUND, ("r", 0x18, 0x8C, b"\x00\xf3"))
    assert lis3dh.LIS3DH(bus).read_temperature() == -13


def test_a_chip_that_falls_silent_is_missing():
    chip = lis3dh.LIS3DH(I2c(FOUND, ("r", 0x18, 0x2F, None)))
    assert code(chip.samples, lis3dh.LIS3DHError) == "missing"
    chip = lis3dh.LIS3DH(I2c(FOUND, ("w", 0x18, 0x24, None)))
    assert code(lambda: chip.arm((0, 0, 1000)), lis3dh.LIS3DHError) == "missing"


# Battery


class _Adc:
    def __init__(self, *microvolts):
        self._left = list(microvolts)

    def read_uv(self):
        return self._left.pop(0)


def test_the_battery_is_the_middle_of_nine_reads():
    spikes = 1_900_000, 1_900_000, 3_100_000, 1_899_000, 1_901_000, 0, 1_900_000, 1_900_000, 900_000
    assert battery.Battery(_Adc(*spikes), 2).read_mv() == 3800

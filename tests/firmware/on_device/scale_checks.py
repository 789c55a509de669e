"""The HX711 against its two wires as the data sheet shows them."""

from drivers import hx711
from recorded import Hx711, code


class _Clock:
    """Time that only waiting passes: a busy machine must not lengthen a pulse."""

    def __init__(self):
        self._us = 0

    def ticks_us(self):
        return self._us

    def ticks_ms(self):
        return self._us // 1000

    def ticks_diff(self, later, earlier):
        return later - earlier

    def sleep_us(self, duration_us):
        self._us += duration_us

    def sleep_ms(self, duration_ms):
        self._us += duration_ms * 1000


CLOCK = hx711.time = _Clock()


def _scale(wire, **more):
    return hx711.HX711(wire, wire, 0, 21500, **more)


def test_the_converter_is_read_in_twenty_five_clocks():
    for counts in (0, 1, 431000, -1, -431000):
        wire = Hx711(counts & 0xFFFFFF)
        assert _scale(wire).read_counts() == counts
        assert wire.conversions == 1


def test_the_first_conversions_are_for_warming_up():
    wire = Hx711(1, 2, 3, 4, 215000, 430000)
    scale = _scale(wire)
    assert scale.read() == 10000 and scale.read() == 20000 and wire.conversions == 6


def test_counts_become_grams():
    assert hx711.grams(1000 + 21500 * 20, 1000, 21500) == 20000
    assert hx711.grams(-21500, 0, 21500) == -1000


def test_the_zero_moves_with_the_temperature():
    wire = Hx711(0, 0, 0, 0, 215000 - 21500)
    scale = hx711.HX711(wire, wire, 0, 21500, drift=1075, zero_tc=200)
    scale.tc = 0  # 20 degC colder than at the tare: 21500 counts lower
    assert scale.read() == 10000
    assert hx711.zero_shift(1075, 200, None) == 0


def test_a_clock_that_lasts_too_long_is_thrown_away():
    wire = Hx711(431000, slow_at=9, sleep_us=CLOCK.sleep_us)
    assert _scale(wire).read_counts() == 431000 and wire.conversions == 1


def test_clocks_that_always_last_too_long_are_reported():
    wire = Hx711(431000)
    scale = _scale(wire, irq=(lambda: 0, lambda state: None))
    scale._pulse = lambda: 61
    assert code(scale.read_counts, hx711.HX711Error) == "timing"


def test_interrupts_are_off_during_each_clock_and_on_between():
    log = []
    wire = Hx711(5)
    _scale(wire, irq=(lambda: log.append("off"), lambda state: log.append("on"))).read_counts()
    assert log == ["off", "on"] * 25


def test_a_saturated_converter_is_a_fault():
    for counts in (0x7FFFFF, 0x800000):
        assert code(_scale(Hx711(counts)).read, hx711.HX711Error) == "saturated"


def test_the_same_count_again_and_again_is_stuck():
    scale = _scale(Hx711(4711))
    assert [scale.read() for _ in range(3)] == [219] * 3
    assert code(scale.read, hx711.HX711Error) == "stuck"


def test_a_chip_that_is_not_there_is_missing():
    assert code(_scale(Hx711(0, ready=False)).read_counts, hx711.HX711Error) == "missing"
    assert code(_scale(Hx711(0, rises=False)).read_counts, hx711.HX711Error) == "missing"

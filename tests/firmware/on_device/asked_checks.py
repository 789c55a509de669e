"""Ultrasonic sensors that wait to be asked, and how the configuration chooses a mode."""

from drivers import a02yyuw, frames, jsn_sr04t
from recorded import Uart, code

FRAME_431 = b"\xff\x01\xaf\xaf"


class _Trigger:
    def value(self, level):
        pass


class _Asked:
    """A module that answers each ``byte`` with ``frame``, but does not listen the first times."""

    def __init__(self, byte, frame, deaf=0):
        self.byte, self.frame, self.deaf = byte, frame, deaf
        self.asked, self._waiting = 0, b""

    def write(self, data):
        assert data == self.byte, data
        self.asked += 1
        if self.asked > self.deaf:
            self._waiting += self.frame

    def read(self):
        data, self._waiting = self._waiting, b""
        return data or None


def test_a_sensor_that_waits_is_asked_for_each_value_and_again_until_it_listens():
    uart = _Asked(b"\x55", FRAME_431, deaf=2)
    sensor = a02yyuw.A02YYUW(uart, b"\x55")
    assert sensor.read() == 431 and uart.asked == 3
    assert sensor.read() == 431 and uart.asked == 4
    deaf = a02yyuw.A02YYUW(_Asked(b"\x55", b"", deaf=99), b"\x55")
    assert code(deaf.read, a02yyuw.A02YYUWError) == "missing"


def test_a_sensor_that_sends_by_itself_is_never_asked():
    uart = Uart(FRAME_431)
    assert a02yyuw.A02YYUW(uart).read() == 431 and uart.written == b""


def test_an_aj_sr04m_is_asked_by_its_byte_and_may_leave_the_start_out_of_its_sum():
    for frame in (b"\xff\x07\xa1\xa7", b"\xff\x07\xa1\xa8"):
        uart = _Asked(b"\x01", frame)
        assert jsn_sr04t.SerialJSNSR04T(uart, True).read() == 1953
    # Neither sum; and the short one from a module that is no AJ-SR04M.
    assert frames.split(b"\xff\x07\xa1\xa9", True)[0] is None
    assert frames.split(b"\xff\x07\xa1\xa6", True)[0] is None
    assert frames.split(b"\xff\x07\xa1\xa8")[0] is None


class _Fitted:
    """A board and its configuration, as ``fitted`` of a driver takes them."""

    def __init__(self, mode, uart=None):
        self.mode = mode
        self._uart = uart

    def uart(self):
        return self._uart

    def line(self, name, out=False):
        return _Trigger()

    def pulse_us(self, pin, most_us):
        return 5828


def test_the_configuration_chooses_how_a_sensor_is_read():
    frame = b"\xff\x03\xe8\xea"
    for driver, mode, byte in (
        (a02yyuw, "asked", b"\x55"),
        (jsn_sr04t, "serial", b"\x55"),
        (jsn_sr04t, "aj-sr04m", b"\x01"),
    ):
        given = _Fitted(mode, _Asked(byte, frame))
        assert driver.fitted(given, given).read() == 1000, mode
    given = _Fitted("pulse", Uart(frame))
    assert a02yyuw.fitted(given, given).read() == 1000 and given.uart().written == b""
    assert jsn_sr04t.fitted(given, given).read() == 1000

"""UART, I2C and ADC: each transfer is one call to the world around the board."""

import time

from micropython import const

import _hal

_MOMENT_MS = const(20)


class UART:
    """A serial port whose other end sends in device time.

    The host reports when it will send next, so polling costs no calls. A poll without data lets
    some device time pass, at most up to then: less waiting, the same bytes.
    """

    def __init__(self, id, baud=115200, **options):
        """``timeout`` (ms) is how long a read waits for its first byte."""
        self._held = b""
        rx = options.get("rx")
        self._role = _hal.boot["pins"].get(str(rx.number), "") if rx is not None else ""
        self._timeout_ms = options.get("timeout", 0)
        self._next_ms = time.ticks_ms()
        _hal.call("uart_open", role=self._role, baud=baud)

    def any(self):
        """Bytes that have arrived."""
        if not self._take():
            self._pass(_MOMENT_MS)
        return len(self._held)

    def read(self, count=-1):
        """Up to ``count`` bytes, or None when none came within the time-out."""
        self._await()
        end = len(self._held) if count is None or count < 0 else count
        data, self._held = self._held[:end], self._held[end:]
        return data or None

    def readinto(self, buffer, count=None):
        """Fill ``buffer``; the number of bytes, or None."""
        data = self.read(len(buffer) if count is None else count)
        if data is None:
            return None
        buffer[: len(data)] = data
        return len(data)

    def write(self, data):
        """Send bytes: a modem receives them, a sensor does not."""
        _hal.call("uart_write", role=self._role, data=bytes(data).hex())
        self._next_ms = time.ticks_ms()  # the answer may be there at once
        return len(data)

    def _take(self):
        """Whether anything new arrived."""
        if time.ticks_diff(time.ticks_ms(), self._next_ms) < 0:
            return False
        data, wait_ms = _hal.call("uart", role=self._role)
        self._held += bytes.fromhex(data)
        self._next_ms = time.ticks_add(time.ticks_ms(), wait_ms)
        return bool(data)

    def _await(self):
        start = time.ticks_ms()
        left_ms = self._timeout_ms
        while not self._take() and not self._held:
            self._pass(min(max(left_ms, 1), _MOMENT_MS) if self._timeout_ms else _MOMENT_MS)
            left_ms = self._timeout_ms - time.ticks_diff(time.ticks_ms(), start)
            if left_ms <= 0:
                return

    def _pass(self, ms):
        wait_ms = time.ticks_diff(self._next_ms, time.ticks_ms())
        time.sleep_ms(min(max(wait_ms, 1), ms))


class I2C:
    """The bus of the accelerometer. A device that does not answer raises OSError(19), ENODEV."""

    def __init__(self, id=-1, **pins):
        pass

    def readfrom_mem(self, address, register, count):
        """``count`` bytes from a register on."""
        return bytes.fromhex(_hal.call("i2c_read", address=address, register=register, count=count))

    def writeto_mem(self, address, register, data):
        """Write bytes from a register on."""
        _hal.call("i2c_write", address=address, register=register, data=bytes(data).hex())


class ADC:
    """The battery's divider on an analogue pin."""

    ATTN_11DB = 3

    def __init__(self, pin, *, atten=0):
        pass

    def read_uv(self):
        """Microvolts at the pin, by the chip's own calibration."""
        return _hal.call("adc_uv")

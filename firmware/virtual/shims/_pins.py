"""Pins by number. The HX711 is modelled here, since a call to the host per clock would be slow."""

from micropython import const

import _hal

_POWER_DOWN_US = const(60)  # HX711 datasheet: PD_SCK high for longer than 60 us
_SETTLE_US = const(400000)  # output settling after power up at 10 samples a second
_CONVERSION_US = const(100000)
_RISEN_US = const(1000)  # in modelled time, so that a busy host cannot hide the rise of DOUT


class _HX711:
    """Shifts a reading out: DOUT low when ready, 24 bits on rising clocks, then 1 to 3 more."""

    def __init__(self):
        self.clocks = 0
        self.level = 0
        self.word = 0
        self.ready_us = _SETTLE_US
        self.high_since_us = 0  # in modelled time: a busy host must not power the chip down
        self.risen_until_us = 0
        self.fetched = False

    def data(self):
        if 1 <= self.clocks <= 24:
            return (self.word >> (24 - self.clocks)) & 1
        risen = _hal.modelled_us() < self.risen_until_us
        if risen or _hal.device_us() < self.ready_us or not self._fetch():
            _hal.sleep_us(1000)  # polling for readiness lets time pass
            return 1
        return 0

    def _fetch(self):
        """Fetch the conversion before it is clocked out: a call to the host takes long."""
        if not self.fetched:
            word = _hal.call("weight")
            if word is None:
                self.ready_us = _hal.device_us() + _CONVERSION_US
                return False
            self.word, self.fetched = word & 0xFFFFFF, True
        return True

    def clock(self, level):
        rising, falling = level and not self.level, self.level and not level
        self.level = level
        now_us, modelled_us = _hal.device_us(), _hal.modelled_us()
        if rising:
            self.high_since_us = modelled_us
            self._shift(now_us)
        elif falling and modelled_us - self.high_since_us >= _POWER_DOWN_US:
            self.clocks, self.ready_us, self.fetched = 0, now_us + _SETTLE_US, False

    def _shift(self, us):
        # Pulses after the 24th choose the gain; the next conversion begins a new count.
        if self.clocks >= 25 and us >= self.ready_us:
            self.clocks = 0
        if self.clocks == 0 and (us < self.ready_us or not self._fetch()):
            return
        self.clocks += 1
        if self.clocks == 25:
            self.ready_us, self.fetched = us + _CONVERSION_US, False
            self.risen_until_us = _hal.modelled_us() + _RISEN_US


class Pin:
    """One pin, read from and written to the host's model. Interrupts are not modelled."""

    IN = 1
    OUT = 3

    _hx711 = _HX711()

    def __init__(self, id, mode=-1, pull=-1, *, value=None):
        self.number = id
        self._role = _hal.boot["pins"].get(str(id), "")
        if value is not None:
            self.value(value)

    def value(self, level=None):
        """Read the pin, or drive it; either takes its time."""
        _hal.charge_us(_hal.boot["pin_us"])
        if level is None:
            if self._role == "hx711_data":
                return self._hx711.data()
            return _hal.call("pin", role=self._role)
        if self._role == "hx711_clock":
            self._hx711.clock(1 if level else 0)
        else:
            _hal.call("pin_set", role=self._role, level=1 if level else 0)

    __call__ = value

    def on(self):
        """Drive high."""
        self.value(1)

    def off(self):
        """Drive low."""
        self.value(0)


def time_pulse_us(pin, level, most_us=1000000):
    """Length of an echo pulse (JSN-SR04T), -2 when none begins in time, -1 when it does not end."""
    pulse_us = _hal.call("echo_us")
    if pulse_us is None or pulse_us > most_us:
        _hal.sleep_us(most_us)
        return -2 if pulse_us is None else -1
    _hal.sleep_us(pulse_us)
    return pulse_us

"""LILYGO T-SIM7080G-S3: ESP32-S3, SIM7080G modem, AXP2101 power chip (its schematic of 2023-03).

Asleep every rail but the processor's is off: 0.4 mA instead of 1.8. No part is on the prompt's UART
(GPIO43, GPIO44) and USB (GPIO19, GPIO20). EXT1 takes GPIO0 to GPIO21 here; *all low* of the ESP32
is *any low* on this chip.
"""

import time

import machine
import network
from drivers.axp2101 import AXP2101, AXP2101Error
from micropython import const

from board import firebeetle

PINS = {
    "sensor_rx": 17,  # from the A02YYUW's TX
    "sensor_tx": 18,  # to its RX: left high selects processed values
    "hx711_data": 9,
    "hx711_clock": 10,  # held high over 60 us powers the chip down
    "motion": 11,  # LIS3DH INT1, high while it moves; an RTC pin, wakes from deep sleep
    "tilt": 12,  # LIS3DH INT2, high while off its rest position; an RTC pin
    "lid": 13,  # reed or phototransistor to ground, pull-up outside; an RTC pin
    "i2c_sda": 16,  # header P2, as every sensor's pin here: for the LIS3DH, a probe's converter
    "i2c_scl": 8,
    "power_sda": 15,  # on the board, on no header: the AXP2101's own bus
    "power_scl": 7,
    "modem_rx": 4,  # on the board: from the modem's TX
    "modem_tx": 5,
    "modem_key": 41,  # through a transistor: high pulls PWRKEY low
}

POWERS = {
    "sensor": ("dc5", 3300),  # the pin header's 3V3 of its own
    "modem": ("dc3", 3000),  # 2700 to 3400
    "modem_level": ("bldo1", 3300),  # the level shifter between modem and processor
    "gnss_antenna": ("bldo2", 3300),
}

_MODEM_UART = const(1)
_MODEM_BAUD = const(115200)


class Board(firebeetle.Board):
    """The family's board with its powers behind the AXP2101, and a modem."""

    pins = PINS

    def __init__(self):
        self._chip = None
        self._modem = None
        self._uart = None
        self._key = machine.Pin(PINS["modem_key"], machine.Pin.OUT, value=0)
        super().__init__()

    def _power(self):
        if self._chip is None:
            scl, sda = machine.Pin(PINS["power_scl"]), machine.Pin(PINS["power_sda"])
            self._chip = AXP2101(machine.I2C(1, scl=scl, sda=sda))
            self._chip.without_thermistor()
        return self._chip

    def _rail(self, name, on):
        rail, millivolts = POWERS[name]
        if on:
            self._power().on(rail, millivolts)
        else:
            self._power().off(rail)

    def _sensor_power(self, on):
        firebeetle.off(self._rail, "sensor", on)  # the burst then reports a fault

    def battery_mv(self):
        """Millivolts of the cell; 0, as on mains, when the power chip does not answer."""
        try:
            return self._power().battery_mv()
        except Exception:  # noqa: BLE001 - of a bus
            return 0

    def _sim7080g(self):
        """The modem, its rails on."""
        self._rail("modem", 1)
        self._rail("modem_level", 1)
        if self._modem is None:
            from drivers.sim7080g import SIM7080G

            tx, rx = machine.Pin(PINS["modem_tx"]), machine.Pin(PINS["modem_rx"])
            self._uart = machine.UART(_MODEM_UART, _MODEM_BAUD, tx=tx, rx=rx, timeout=0, rxbuf=2048)
            self._modem = SIM7080G(self._uart, self._press)
        return self._modem

    def _press(self, duration_ms):
        self._key.value(1)
        time.sleep_ms(duration_ms)
        self._key.value(0)

    def link(self, config, address):
        """LTE-M when the configuration has ``lte``, else Wi-Fi."""
        if not config.lte:
            return super().link(config, address)
        from lib.lte import Lte

        try:
            modem = self._sim7080g()
        except AXP2101Error as error:
            raise OSError("power chip: %s" % error) from error
        self._link = Lte(modem, lambda: network.PPP(self._uart), config.lte)
        return self._link

    def receiver(self, config):
        """The modem's own receiver, LTE off; None unless the configuration has ``gnss``."""
        if not config.gnss:
            return None
        from drivers.gnss import GNSS

        try:
            modem = self._sim7080g()
            self._rail("gnss_antenna", 1)
            modem.start()
            modem.gnss()
        except (OSError, AXP2101Error) as error:
            print("receiver:", error)
            return None
        return GNSS(self._uart)

    def receiver_off(self):
        """Cut the antenna's power; the modem stays on for LTE."""
        firebeetle.off(self._rail, "gnss_antenna", 0)

    def radio_off(self):
        """Switch the radios off, the modem cleanly, then every rail but the processor's."""
        super().radio_off()
        if self._modem is not None:
            firebeetle.off(self._modem.off)
            self._modem = None
        firebeetle.off(self._rest)

    def _rest(self):
        self._power().rest()

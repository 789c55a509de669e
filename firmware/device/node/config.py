"""``config.json``: who this node is, and what it was set up to do (firmware/README.md)."""

import binascii
import json

from micropython import const

_FILE = const("abcdefghijklmnopqrstuvwxyz0123456789_")
_DIGITS = const("abcdefghijklmnopqrstuvwxyz234567")
SENSORS = "a02yyuw", "jsn-sr04t", "probe", "hx711"
_LEAST_CHANGE_G = const(500)  # cells creep by up to 300 g under a steady load
_SHORTEST_S = const(30)
_LONGEST_S = const(604_800)


class ConfigError(ValueError):
    """The configuration cannot be used; the message names the value."""


class Config:
    """The configuration in force, checked. Attributes are documented in firmware/README.md."""

    def __init__(self, given):
        self.device = _device(given)
        self.key = _key(given)
        self.k = given.get("k", 1)
        self.board = given.get("board", "firebeetle")
        self.release_key = binascii.unhexlify(given.get("release_key", ""))
        self.wifi = [(net["ssid"], net.get("password", "")) for net in given.get("wifi", [])]
        self._lte(given.get("lte"))
        self._broker(given.get("broker") or {})
        self.board = given.get("board", "firebeetle")
        if not self.board or any(char not in _FILE for char in self.board):
            raise ConfigError("board %r: a file's name in board/, without .py" % self.board)
        self.gnss = given.get("gnss", False)
        self._senses(given)
        self.interval_s = seconds("interval_s", given.get("interval_s", 600))
        self.report_s = seconds("report_s", given.get("report_s", 900))
        self.change_mm = given.get("change_mm", 30)
        self.change_g = given.get("change_g", 5000)
        if self.change_g < _LEAST_CHANGE_G:
            raise ConfigError("change_g %r: 500 or more, since cells creep" % self.change_g)
        self.change_pa = given.get("change_pa", 300)
        self.battery = given.get("battery", True)
        self.battery_permille = given.get("battery_permille", 1000)
        self.ntp = given.get("ntp", "pool.ntp.org")

    def _senses(self, given):
        self.sensor = choice("sensor", given.get("sensor", SENSORS[0]), SENSORS)
        self.mode = choice("mode", given.get("mode", "pulse"), ("pulse", "serial"))
        self.floor_mm = given.get("floor_mm", 0)
        self.near_mm = given.get("near_mm", 0)
        if self.sensor == "jsn-sr04t" and not self.floor_mm:
            raise ConfigError("floor_mm is missing: a jsn-sr04t reads far when it is too near")
        self.full_pa = given.get("full_pa", 9807)
        self.zero_pa = given.get("zero_pa", 0)
        self.shunt_ohm = given.get("shunt_ohm", 100)
        self.probe_ms = given.get("probe_ms", 1500)
        if not self.shunt_ohm > 0 or not self.full_pa > self.zero_pa:
            raise ConfigError(
                "shunt_ohm %r, zero_pa %r, full_pa %r: a resistor, and a rising scale"
                % (self.shunt_ohm, self.zero_pa, self.full_pa)
            )
        self.zero = given.get("zero", 0)
        self.counts_per_kg = given.get("counts_per_kg", 21500)
        if not self.counts_per_kg > 0:
            raise ConfigError(
                "counts_per_kg %r: swap the cells' white and green" % self.counts_per_kg
            )
        self.drift = given.get("drift", 0)
        self.zero_tc = given.get("zero_tc", 200)
        self.temp_zero = given.get("temp_zero")
        self.motion = given.get("motion", True)
        self.rest = _vector("rest", given.get("rest"))
        self.lid = given.get("lid")
        if self.lid:
            choice("lid", self.lid, ("reed", "light"))

    def _lte(self, lte):
        """``lte``: None, or (apn, user or None, password or None)."""
        self.lte = lte and (lte["apn"], lte.get("user"), lte.get("password"))

    def _broker(self, broker):
        self.ca = broker.get("ca")
        self.host = broker.get("host")
        if not self.host:
            raise ConfigError("broker.host is missing")
        self.port = broker.get("port", 8883 if self.ca else 1883)
        self.login = broker.get("login", self.device)
        self.password = broker.get("password")

    def topic(self, leaf):
        """``noria/1/<device>/<leaf>``, text."""
        return "noria/1/%s/%s" % (self.device, leaf)


def load(path):
    """The :class:`Config` of a JSON file. Raises ConfigError, or OSError when it is absent."""
    with open(path) as file:
        text = file.read()
    try:
        return Config(json.loads(text))
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError("%s: %r is missing or of a wrong type" % (path, error)) from error


def _device(given):
    device = given.get("device", "")
    if not 6 <= len(device) <= 16 or any(char not in _DIGITS for char in device):
        raise ConfigError("device %r: 6 to 16 of a-z2-7" % device)
    return device


def _key(given):
    key = binascii.unhexlify(given["key"])
    if len(key) != 32:
        raise ConfigError("key: %d bytes, 32 are needed" % len(key))
    return key


def choice(name, value, known):
    """``value`` if it is one of ``known``; ConfigError names both otherwise."""
    if value not in known:
        raise ConfigError("%s %r: use %s" % (name, value, ", ".join(known)))
    return value


def _vector(name, value):
    if value is None:
        return None
    if len(value) != 3 or not all(isinstance(axis, int) for axis in value) or not any(value):
        raise ConfigError("%s %r: three whole milli-g, as read at rest" % (name, value))
    return tuple(value)


def seconds(name, value):
    """``value`` if it is a usable interval in seconds; ConfigError names it otherwise."""
    if not isinstance(value, int) or not _SHORTEST_S <= value <= _LONGEST_S:
        raise ConfigError("%s %r: %d to %d seconds" % (name, value, _SHORTEST_S, _LONGEST_S))
    return value

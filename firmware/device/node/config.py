"""``config.json``: who this node is, and what it was set up to do (firmware/README.md)."""

import binascii
import json

_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_SHORTEST_S, _LONGEST_S = 30, 604_800


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
        self._broker(given.get("broker") or {})
        self.sensor = given.get("sensor", "a02yyuw")
        if self.sensor not in ("a02yyuw", "hx711"):
            raise ConfigError("sensor %r: use a02yyuw or hx711" % self.sensor)
        self.interval_s = seconds("interval_s", given.get("interval_s", 600))
        self.report_s = seconds("report_s", given.get("report_s", 900))
        self.change_mm = given.get("change_mm", 30)
        self.change_g = given.get("change_g", 5000)
        self.zero = given.get("zero", 0)
        self.counts_per_kg = given.get("counts_per_kg", 21500)
        self.battery = given.get("battery", True)
        self.ntp = given.get("ntp", "pool.ntp.org")

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


def seconds(name, value):
    """``value`` if it is a usable interval in seconds; ConfigError names it otherwise."""
    if not isinstance(value, int) or not _SHORTEST_S <= value <= _LONGEST_S:
        raise ConfigError("%s %r: %d to %d seconds" % (name, value, _SHORTEST_S, _LONGEST_S))
    return value

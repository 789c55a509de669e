"""Checks ``config.json`` value by value (firmware/README.md); unloaded afterwards."""

import binascii

from micropython import const

from node.policy.limits import LEAST_CHANGE_G, ConfigError, seconds

_FILE = const("abcdefghijklmnopqrstuvwxyz0123456789_")
_DIGITS = const("abcdefghijklmnopqrstuvwxyz234567")
SENSORS = "a02yyuw", "jsn-sr04t", "probe", "hx711"


def fill(config, given):
    """Set the attributes of ``config`` from the JSON object ``given``. Raises ConfigError."""
    config.device = _device(given)
    config.key = _key(given)
    config.k = given.get("k", 1)
    config.board = given.get("board", "firebeetle")
    config.release_key = binascii.unhexlify(given.get("release_key", ""))
    config.wifi = [(net["ssid"], net.get("password", "")) for net in given.get("wifi", [])]
    _lte(config, given.get("lte"))
    _broker(config, given.get("broker") or {})
    config.board = given.get("board", "firebeetle")
    if not config.board or any(char not in _FILE for char in config.board):
        raise ConfigError("board %r: a file's name in board/, without .py" % config.board)
    config.gnss = given.get("gnss", False)
    _senses(config, given)
    config.interval_s = seconds("interval_s", given.get("interval_s", 600))
    config.report_s = seconds("report_s", given.get("report_s", 900))
    config.change_mm = given.get("change_mm", 30)
    config.change_g = given.get("change_g", 5000)
    if config.change_g < LEAST_CHANGE_G:
        raise ConfigError(
            "change_g %r: %d or more, since cells creep" % (config.change_g, LEAST_CHANGE_G)
        )
    config.change_pa = given.get("change_pa", 300)
    config.battery = given.get("battery", True)
    config.battery_permille = given.get("battery_permille", 1000)
    config.ntp = given.get("ntp", "pool.ntp.org")


def _senses(config, given):
    config.sensor = choice("sensor", given.get("sensor", SENSORS[0]), SENSORS)
    config.mode = choice("mode", given.get("mode", "pulse"), ("pulse", "serial"))
    config.floor_mm = given.get("floor_mm", 0)
    config.near_mm = given.get("near_mm", 0)
    if config.sensor == "jsn-sr04t" and not config.floor_mm:
        raise ConfigError("floor_mm is missing: a jsn-sr04t reads far when it is too near")
    config.full_pa = given.get("full_pa", 9807)
    config.zero_pa = given.get("zero_pa", 0)
    config.shunt_ohm = given.get("shunt_ohm", 100)
    config.probe_ms = given.get("probe_ms", 1500)
    if not config.shunt_ohm > 0 or not config.full_pa > config.zero_pa:
        raise ConfigError(
            "shunt_ohm %r, zero_pa %r, full_pa %r: a resistor, and a rising scale"
            % (config.shunt_ohm, config.zero_pa, config.full_pa)
        )
    config.zero = given.get("zero", 0)
    config.counts_per_kg = given.get("counts_per_kg", 21500)
    if not config.counts_per_kg > 0:
        raise ConfigError(
            "counts_per_kg %r: swap the cells' white and green" % config.counts_per_kg
        )
    config.drift = given.get("drift", 0)
    config.zero_tc = given.get("zero_tc", 200)
    config.temp_zero = given.get("temp_zero")
    config.motion = given.get("motion", True)
    config.rest = _vector("rest", given.get("rest"))
    config.lid = given.get("lid")
    if config.lid:
        choice("lid", config.lid, ("reed", "light"))


def _lte(config, lte):
    """``lte``: None, or (apn, user or None, password or None)."""
    config.lte = lte and (lte["apn"], lte.get("user"), lte.get("password"))


def _broker(config, broker):
    config.ca = broker.get("ca")
    config.host = broker.get("host")
    if not config.host:
        raise ConfigError("broker.host is missing")
    config.port = broker.get("port", 8883 if config.ca else 1883)
    config.login = broker.get("login", config.device)
    config.password = broker.get("password")


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

"""Checks ``config.json`` field by field (firmware/README.md); unloaded afterwards.

The computer runs this file, too, before it writes a board (server/command/device/checked.py): both
give one verdict. Each ConfigError begins with the name of the field.
"""

import binascii

from micropython import const

from node.policy.limits import ConfigError

# Name, default, first, most: whole numbers. One text: a tuple for each would stay in the heap.
_NUMBERS = const(
    """k 1 1 2147483647
interval_s 600 30 604800
report_s 900 30 604800
change_mm 30 1 20000
change_g 5000 500 2000000
change_pa 300 1 1000000
battery_permille 1000 500 2000
floor_mm 0 0 20000
near_mm 0 0 20000
full_pa 9807 1 10000000
zero_pa 0 -1000000 1000000
shunt_ohm 100 1 1000
probe_ms 1500 0 20000
zero 0 -8388608 8388607
counts_per_kg 21500 1 8388607
drift 0 -1000000 1000000
zero_tc 200 -400 850
release_floor 0 0 2147483647"""
)
# Name, then the values; the first is the default, ``-`` none.
_CHOICES = const(
    """sensor a02yyuw jsn-sr04t probe hx711
mode pulse serial aj-sr04m asked
lid - reed light"""
)
_FLAGS = const("gnss motion battery")  # true but for the first
_FILE = const("abcdefghijklmnopqrstuvwxyz0123456789_")
_DIGITS = const("abcdefghijklmnopqrstuvwxyz234567")


def fill(config, given):
    """Set the attributes of ``config`` from the JSON object ``given``. Raises ConfigError."""
    if not isinstance(given, dict):
        raise ConfigError("json: one object is needed, not %r" % type(given))
    config.device = _text("device", given.get("device", ""), 6, 16, _DIGITS)
    config.key = _key("key", given.get("key", ""), (32,))
    config.release_key = _key("release_key", given.get("release_key") or "", (0, 32))
    config.board = _text("board", given.get("board", "firebeetle"), 1, 32, _FILE)
    for row in _NUMBERS.split("\n"):
        name, default, first, last = row.split()
        value = _number(name, given.get(name, int(default)), int(first), int(last))
        if value or name != "release_floor":  # most nodes have none: it stays out of the heap
            setattr(config, name, value)
    for row in _CHOICES.split("\n"):
        name, *known = row.split()
        value = given.get(name)
        setattr(config, name, choice(name, known[0] if value is None else value, known))
    config.lid = None if config.lid == "-" else config.lid
    for name in _FLAGS.split():
        value = given.get(name, name != "gnss")
        if not isinstance(value, bool):
            raise ConfigError("%s %r: true or false" % (name, value))
        setattr(config, name, value)
    config.temp_zero = given.get("temp_zero")
    if config.temp_zero is not None:
        _number("temp_zero", config.temp_zero, -60, 60)
    config.rest = _vector("rest", given.get("rest"))
    config.ntp = _text("ntp", given.get("ntp", "pool.ntp.org"), 0, 253)
    _networks(config, given.get("wifi", []))
    _lte(config, given.get("lte"))
    _broker(config, given.get("broker") or {})
    if config.sensor == "jsn-sr04t" and not config.floor_mm:
        raise ConfigError("floor_mm is missing: a jsn-sr04t reads far when it is too near")
    wants = {"asked": "a02yyuw", "aj-sr04m": "jsn-sr04t"}.get(config.mode, config.sensor)
    if config.sensor != wants:
        raise ConfigError("mode %r: is a %s's, not a %s's" % (config.mode, wants, config.sensor))
    if config.floor_mm and config.near_mm >= config.floor_mm:
        raise ConfigError("near_mm %d: above floor_mm %d" % (config.near_mm, config.floor_mm))
    if config.full_pa <= config.zero_pa:
        raise ConfigError("full_pa %d: zero_pa is %d" % (config.full_pa, config.zero_pa))


def _number(name, value, first, last):
    if type(value) is not int or not first <= value <= last:
        raise ConfigError("%s %r: a whole number from %d to %d" % (name, value, first, last))
    return value


def choice(name, value, known):
    """``value`` if it is one of ``known``; ConfigError names both otherwise."""
    if not isinstance(value, str) or value not in known:
        raise ConfigError("%s %r: use %s" % (name, value, ", ".join(known)))
    return value


def _text(name, value, first, last, known=""):
    """Text of so many bytes, no control characters, of ``known`` ones where given."""
    good = isinstance(value, str) and first <= len(value.encode()) <= last
    if not good or any(char < " " or (known and char not in known) for char in value):
        raise ConfigError(
            "%s %r: text of %d to %d bytes %s" % (name, value, first, last, known or "")
        )
    return value


def _key(name, value, size):
    """Bytes of hex digits. The message does not show the value: it is a secret."""
    try:
        raw = binascii.unhexlify(value)
    except (ValueError, TypeError):
        raw = b"-"
    if len(raw) not in size:
        raise ConfigError("%s: %d hex digits" % (name, 2 * size[-1]))
    return raw


def _record(name, value):
    if not isinstance(value, dict):
        raise ConfigError("%s: an object is needed" % name)
    return value


def _networks(config, networks):
    if not isinstance(networks, list):
        raise ConfigError("wifi: a list is needed")
    config.wifi = []
    for network in networks:
        ssid = _text("wifi", _record("wifi", network).get("ssid"), 1, 32)
        password = network.get("password") or ""
        try:  # WPA2: none, 8 to 63 bytes, or 64 hex digits
            _text("wifi.password", password, 8 if password else 0, 64)
        except ConfigError:
            raise ConfigError("wifi.password of %r: 8 to 63 bytes, or none" % ssid) from None
        config.wifi.append((ssid, password))


def _lte(config, lte):
    """``lte``: None, or (apn, user or None, password or None)."""
    config.lte = None
    if lte is not None:
        values = [_record("lte", lte).get(name) for name in ("apn", "user", "password")]
        for name, value in zip(("apn", "user", "password"), values):  # noqa: B905 - MicroPython
            if value is not None or name == "apn":
                _text("lte", value, 1, 64)
                if '"' in str(value):  # it goes into an AT command
                    raise ConfigError("lte: its %s has no quotes" % name)
        config.lte = tuple(values)


def _broker(config, broker):
    config.ca = _record("broker", broker).get("ca")
    if config.ca is not None and "-----BEGIN CERTIFICATE-----" not in str(config.ca):
        raise ConfigError("broker.ca: a certificate as PEM text")
    config.host = broker.get("host")
    if not config.host:
        raise ConfigError("broker.host is missing")
    if " " in _text("broker.host", config.host, 1, 253):
        raise ConfigError("broker.host %r: a name or an address" % config.host)
    config.port = _number("broker.port", broker.get("port", 8883 if config.ca else 1883), 1, 65535)
    config.login = _text("broker.login", broker.get("login", config.device), 1, 256)
    config.password = broker.get("password")
    if config.password is not None and not isinstance(config.password, str):
        raise ConfigError("broker.password: text is needed")


def _vector(name, value):
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 3 or not any(value):
        raise ConfigError("%s %r: three whole milli-g, as read at rest" % (name, value))
    return tuple(_number(name, axis, -2000, 2000) for axis in value)

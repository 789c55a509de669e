"""Limits of settings, from ``config.json`` or by an order."""

from micropython import const

_SHORTEST_S = const(30)
_LONGEST_S = const(604_800)
LEAST_CHANGE_G = const(500)  # cells creep by up to 300 g under a steady load


class ConfigError(ValueError):
    """The configuration cannot be used; the message names the value."""


def seconds(name, value):
    """``value`` if it is a usable interval in seconds; ConfigError names it otherwise."""
    if not isinstance(value, int) or not _SHORTEST_S <= value <= _LONGEST_S:
        raise ConfigError("%s %r: %d to %d seconds" % (name, value, _SHORTEST_S, _LONGEST_S))
    return value

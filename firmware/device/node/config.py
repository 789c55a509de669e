"""``config.json``: who this node is, and what it was set up to do (firmware/README.md)."""

import json

from micropython import const

from node import unload

_SHORTEST_S = const(30)
_LONGEST_S = const(604_800)
LEAST_CHANGE_G = const(500)  # cells creep by up to 300 g under a steady load


class ConfigError(ValueError):
    """The configuration cannot be used; the message names the value."""


class Config:
    """The configuration in force, checked. Attributes are documented in firmware/README.md."""

    def __init__(self, given):
        from node import checked

        checked.fill(self, given)
        del checked
        unload("node.checked")

    def __getattr__(self, name):
        return self.__dict__[name]  # checked.py sets them, out of a type checker's sight

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


def seconds(name, value):
    """``value`` if it is a usable interval in seconds; ConfigError names it otherwise."""
    if not isinstance(value, int) or not _SHORTEST_S <= value <= _LONGEST_S:
        raise ConfigError("%s %r: %d to %d seconds" % (name, value, _SHORTEST_S, _LONGEST_S))
    return value

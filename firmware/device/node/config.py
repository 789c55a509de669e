"""``config.json``: the identity and settings of this node (firmware/README.md)."""

import json

from lib import unload


class Config:
    """The configuration in force, checked. Attributes are documented in firmware/README.md.

    Raises ``ConfigError`` of ``policy/limits.py`` for a value that cannot be used.
    """

    def __init__(self, given):
        from node import config_check

        config_check.fill(self, given)
        del config_check
        unload("node.config_check", "node.policy.limits")

    def __getattr__(self, name):
        return self.__dict__[name]  # config_check.py sets them: no type checker sees it

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
        from node.policy.limits import ConfigError

        raise ConfigError("%s: %r is missing or of a wrong type" % (path, error)) from error

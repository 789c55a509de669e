"""``config.json``: the identity and settings of this node (firmware/README.md).

The last good text is in NVS as well: a bad file, or none, changes nothing but a fault that names
the field.
"""

import json

from lib import unload
from micropython import const

_NAME = const("config")
_LARGEST = const(3800)  # of the text that NVS keeps


class Config:
    """The configuration in force, checked. Attributes are documented in firmware/README.md.

    Raises ``ConfigError`` of ``policy/limits.py`` for a value that cannot be used.
    """

    fault = ""
    """The field for which the last good configuration runs instead of the file's; empty: none."""
    release_floor = 0

    def __init__(self, given):
        from node import config_check

        try:
            config_check.fill(self, given)
        finally:
            del config_check
            unload("node.config_check", "node.policy.limits")

    def __getattr__(self, name):
        return self.__dict__[name]  # config_check.py sets them: no type checker sees it

    def topic(self, leaf):
        """``noria/1/<device>/<leaf>``, text."""
        return "noria/1/%s/%s" % (self.device, leaf)


def load(path):
    """The :class:`Config` of a JSON file. Raises ValueError, of it ConfigError, which begins with
    the name of the field, or OSError when the file is absent."""
    return Config(json.loads(_text(path)))


def kept(path, nvs):
    """The same; if the file cannot be used, the last good one from ``nvs``, its ``fault`` set."""
    try:
        return load(path)
    except Exception as error:  # noqa: BLE001 - damaged files raise many classes
        print("config.json:", error)
        text = bytearray(_LARGEST)
        try:
            size = nvs.get_blob(_NAME, text)
            config = Config(json.loads(bytes(text[:size])))
        except Exception:  # noqa: BLE001 - none is kept, or not readable
            raise error from None
        config.fault = named(error)
        return config


def _text(path):
    with open(path) as file:
        return file.read()


def named(error):
    """``json`` or ``file``, else the field's name at the beginning of a ConfigError."""
    if type(error).__name__ == "ConfigError":
        return str(error).replace(":", " ").split()[0]
    return "json" if isinstance(error, ValueError) else "file"


def save(path, nvs):
    """Store the text of a configuration that is good, unless it is there already."""
    try:
        text = _text(path).encode()
        before = bytearray(len(text))
        try:
            if nvs.get_blob(_NAME, before) == len(text) and before == text:
                return
        except (OSError, ValueError):
            pass  # none, or a longer one
        if len(text) <= _LARGEST:
            nvs.set_blob(_NAME, text)
            nvs.commit()
    except Exception as error:  # noqa: BLE001 - the node runs without it
        print("config.json:", repr(error))

"""The ``down`` message: the complete desired state, applied once per number."""

import hashlib

from lib import strict_json
from micropython import const
from node.policy import limits
from node.storage import clock, envelope

_KNOWN_ONCE = ("reboot", "resend", "recover")
_ONCE_KEPT = const(8)
_ONCE_SIZE = const(4)
_LARGEST_N = const(2**32 - 1)
_LARGEST_CHANGE = const(2**31 - 1)


class Orders:
    """What a ``down`` asks of this wake: ``code`` for its answer, and the actions to do once."""

    def __init__(self, n):
        self.n = n
        self.code = ""
        self.reboot = False
        self.resend_era = b""  # not empty: publish again the messages after resend_after
        self.resend_after = 0, 0
        self.recover = False

    def conf(self, state, plan):
        """The members of the answering event ``conf``."""
        return conf(self.n, state, plan, not self.code, self.code)


def conf(n, state, plan, ok, code=""):
    """The members of an event ``conf``: ``down`` number ``n`` is in force, or ``code`` why not."""
    text = '"k":"conf","n":%d,"id":"%s","ok":%s'
    text = text % (n, config_id(state, plan), "true" if ok else "false")
    return text + (',"c":"%s"' % code if code else "")


def config_id(state, plan):
    """Hash of the configuration in force: 8 hex digits."""
    values = (
        plan.interval_s,
        plan.report_s,
        plan.change("mm"),
        plan.change("g"),
        state.move_from,
        state.move_to,
    )
    return "".join(
        "%02x" % byte for byte in hashlib.sha256(b"%d %d %d %d %d %d" % values).digest()[:4]
    )


def decode(key, topic, payload):
    """The JSON object of an authentic ``down``, else None."""
    obj = envelope.verified(key, topic, payload)
    try:
        given = strict_json.parse(obj) if obj else None
    except ValueError:
        return None
    n = given.get("n") if given else None
    return given if isinstance(n, int) and 0 < n <= _LARGEST_N else None


def apply(given, state):
    """Apply a decoded ``down`` above the stored number to ``state``.

    Returns the :class:`Orders`, or None when it is not newer. ``code`` names a part that failed;
    the rest is applied. Its ``update`` is done by ``node.update``.
    """
    if given["n"] <= state.down_n:
        return None
    orders = Orders(given["n"])
    state.down_n = given["n"]
    try:
        _settings(given.get("set") or {}, state, orders)
        for once in given.get("once") or ():
            _once(once, state, orders)
    except (ValueError, KeyError, TypeError, AttributeError):
        orders.code = orders.code or "down"
    return orders


def _change(name, value):
    least = limits.LEAST_CHANGE_G if name == "change_g" else 1
    if not isinstance(value, int) or not least <= value <= _LARGEST_CHANGE:
        raise limits.ConfigError("%s %r" % (name, value))
    return value


def _moment(name, value):
    if not clock.plausible(value):
        raise limits.ConfigError("%s %r" % (name, value))
    return value


_SETTINGS = {
    "interval_s": limits.seconds,
    "report_s": limits.seconds,
    "change_mm": _change,
    "change_g": _change,
    "move_from": _moment,
    "move_to": _moment,
}


def _settings(wanted, state, orders):
    """``set`` is complete: an absent name returns to its value in ``config.json``."""
    for name, checked in _SETTINGS.items():
        value = wanted.get(name)
        try:
            setattr(state, name, 0 if value is None else checked(name, value))
        except limits.ConfigError:
            orders.code = name
    if any(name not in _SETTINGS for name in wanted):
        orders.code = orders.code or "set"


def _once(once, state, orders):
    mark = hashlib.sha256(str(once["id"]).encode()).digest()[:_ONCE_SIZE]
    done = [state.once[at : at + _ONCE_SIZE] for at in range(0, len(state.once), _ONCE_SIZE)]
    if mark in done:
        return
    state.once = b"".join([mark] + done[: _ONCE_KEPT - 1])
    do = once["do"]
    if do not in _KNOWN_ONCE:
        orders.code = "do"
    orders.reboot = orders.reboot or do == "reboot"
    orders.recover = orders.recover or do == "recover"
    if do == "resend":
        era, boot, seq = once["from"]
        orders.resend_era, orders.resend_after = era.encode(), (boot, seq)

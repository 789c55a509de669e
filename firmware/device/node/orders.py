"""The ``down`` message: the whole desired state, applied once per number."""

import hashlib

from node import config, envelope, strict

_KNOWN_ONCE = ("reboot", "resend", "recover")
_ONCE_KEPT, _ONCE_SIZE = 8, 4
_LARGEST_N = 2**32 - 1


class Orders:
    """What a ``down`` asks of this wake: the answer's text, and what to do once."""

    def __init__(self, n):
        self.n = n
        self.code = ""
        self.reboot = False
        self.resend_era = b""  # not empty: publish again what follows resend_after
        self.resend_after = 0, 0
        self.recover = False

    def conf(self, plan):
        """The members of the event ``conf`` that answers it."""
        text = '"k":"conf","n":%d,"id":"%s","ok":%s' % (
            self.n,
            config_id(plan),
            "false" if self.code else "true",
        )
        return text + (',"c":"%s"' % self.code if self.code else "")


def config_id(plan):
    """Hash of the configuration in force: 8 hex digits."""
    text = "interval_s=%d\nreport_s=%d\n" % (plan.interval_s, plan.report_s)
    return "".join("%02x" % byte for byte in hashlib.sha256(text.encode()).digest()[:4])


def take(key, topic, payload, state):
    """Apply an authentic ``down`` above the stored number to ``state``.

    Returns the :class:`Orders`, or None when it is not authentic, not newer or not readable.
    What cannot be done is named by ``code``, and the rest of it still done.
    """
    obj = envelope.opened(key, topic, payload)
    if obj is None:
        return None
    try:
        given = strict.parse(obj)
        n = given["n"]
        if not isinstance(n, int) or not state.down_n < n <= _LARGEST_N:
            return None
        orders = Orders(n)
        state.down_n = n
        _settings(given.get("set") or {}, state, orders)
        for once in given.get("once") or ():
            _once(once, state, orders)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if given.get("update"):
        orders.code = "update"  # needs the offline signature's check, which this build has not
    return orders


def _settings(wanted, state, orders):
    """``set`` is whole: a name that is absent goes back to ``config.json``."""
    for name in ("interval_s", "report_s"):
        value = wanted.get(name)
        try:
            setattr(state, name, 0 if value is None else config.seconds(name, value))
        except config.ConfigError:
            orders.code = name
    if any(name not in ("interval_s", "report_s") for name in wanted):
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

"""The broker's port and CAs that orders gave, in place of those of ``config.json``.

What is new is on trial: it stays when an ack came through it, and is given up after three
connections without one, counted before they begin, as each may end in a reset. The former counts
again then, so that a router without the new port, a wrong CA, or TLS that does not fit into memory
costs a few reports and not the node. NVS has both as text, the hash of the broker in
``config.json`` for which they count first: a new file by cable has priority.
"""

import binascii
import hashlib

from lib import trust, unload
from micropython import const

_NAME = const("tls")  # two sizes of 12 bits; which is in force, on trial; attempts: 2 bits each
_SLOTS = ("", "tls_1", "tls_2")
_SIZE = const(0xFFF)
_ATTEMPTS = const(3)


def load(uplink, config):
    """The :class:`Trust` for the connection that begins now; what failed is reported."""
    found = Trust(uplink.update_status.nvs, config)
    if found.attempt():
        uplink.update_status.add_conf(uplink.up(), uplink.plan, False, "tls_back")
    unload("node.exchange.trust")
    return found


def apply(uplink, given, asked):
    """Take the ``tls`` of orders. Returns what their ``conf`` says more; ``asked.code`` says why
    the new port and CAs are not in force."""
    held = ""
    try:
        found = Trust(uplink.update_status.nvs, uplink.config)
        held = found.offer(given["tls"])
        asked.code = asked.code or ("" if held else "tls")
    except Exception as error:  # noqa: BLE001 - of NVS, or what cannot be used
        print("tls:", repr(error))
        asked.code = asked.code or "tls_bad"
    unload("node.exchange.trust")
    return _member(held) if held else ""


class Trust:
    """``port`` and ``ca`` for the next connection, read from ``nvs`` or from ``config``."""

    def __init__(self, nvs, config):
        self._nvs = nvs
        self.port, self.ca = self._before = config.port, config.ca
        self._config = "%d %s" % (self.port, " ".join(trust.bodies(self.ca or "")))
        self._mark = _hash("%s %s" % (config.host, self._config))
        try:
            number = nvs.get_i32(_NAME)
        except Exception:  # noqa: BLE001 - there is none, or NVS fails
            number = 0
        self._number = number
        self._sizes = [0, number & _SIZE, number >> 12 & _SIZE]
        self._held, self._trial, self._attempts = [number >> at & 3 for at in (24, 26, 28)]
        self._new, self._text = self._read(self._trial), self._read(self._held)
        self._trial = self._trial if self._new else 0
        self._held = self._held if self._text else 0
        self._text = self._text or self._config
        self._use(self._new or self._text)

    def _use(self, text):
        if text != self._config:
            port, _, self.ca = text.partition(" ")
            self.port = int(port)

    @property
    def on_trial(self):
        """Whether this connection is the trial of something new."""
        return bool(self._new)

    def attempt(self):
        """Count a connection on trial. Returns whether the trial is given up now."""
        if not self._trial:
            return False
        if self._attempts < _ATTEMPTS:
            self._attempts += 1
            self._save()
            return False
        self._new, self._trial, self._attempts = "", 0, 0
        self._save()
        self.port, self.ca = self._before
        self._use(self._text)
        return True

    def offer(self, given):
        """Put ``given`` on trial: the hash of what is in force when it is the same, else "".

        Raises ValueError, KeyError, TypeError or AttributeError for what cannot be used, and what
        NVS raises.
        """
        for one in given["ca"]:
            if binascii.a2b_base64(one)[0] != 0x30 or " " in one:
                raise ValueError("ca")
        if not given["ca"] or not 0 < given["port"] < 65536:
            raise ValueError("port")
        text = "%d %s" % (given["port"], " ".join(given["ca"]))
        if text == self._text:
            return _hash(text)
        if text == self._new:
            return ""
        data = ("%s %s" % (self._mark, text)).encode()
        if len(data) > _SIZE:
            raise ValueError("ca")
        slot = 2 if self._held == 1 else 1
        if self._trial:  # not while its number still counts for the former text
            self._trial = 0
            self._save()
        self._nvs.set_blob(_SLOTS[slot], data)
        self._sizes[slot], self._trial, self._attempts = len(data), slot, 0
        self._save()
        return ""

    def commit(self, uplink, release):
        """An ack came: what is on trial stays, and is answered under the ``down`` in force.

        ``release``: the one that is ordered, if any: its answer is still to come.
        """
        if not self._new or self._nvs.get_i32(_NAME) != self._number:
            return  # nothing new, or orders gave something newer in this connection
        self._held, self._trial, self._attempts = self._trial, 0, 0
        self._save()
        from node.exchange import orders

        loading = uplink.update_status.wants({"update": release})
        state = uplink.state
        code = "update" if loading else ""
        fields = orders.conf(state.down_n, state, uplink.plan, not loading, code)
        name = _hash("%d %s" % (self.port, self.ca))
        uplink.queue.add_event(uplink.up(), fields + _member(name))
        state.pending = 1

    def _read(self, slot):
        """The text in a slot, without its mark; empty when it is another broker's, or damaged."""
        data = bytearray(self._sizes[slot])
        try:
            size = self._nvs.get_blob(_SLOTS[slot], data) if slot else 0
            mark, _, text = bytes(data[:size]).decode().partition(" ")
        except Exception:  # noqa: BLE001 - NVS fails
            return ""
        return text if size and mark == self._mark else ""

    def _save(self):
        number = self._sizes[1] | self._sizes[2] << 12
        number |= self._held << 24 | self._trial << 26 | self._attempts << 28
        self._nvs.set_i32(_NAME, number)
        self._nvs.commit()
        self._number = number


def _member(name):
    return ',"ca":"%s"' % name


def _hash(text):
    """8 hex digits."""
    return "".join("%02x" % byte for byte in hashlib.sha256(text.encode()).digest()[:4])

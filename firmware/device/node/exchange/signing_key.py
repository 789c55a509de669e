"""The key that signs: made on the device, kept in NVS, never rewritten; its public half leaves it.

Losing NVS loses it: the node says so by an event and goes on under its MAC alone, until it is
enrolled by cable again. A new key of its own accord would only look like a forger's.
"""

import os

from lib import unload
from micropython import const
from node.storage import envelope

ED25519 = "lib.ed25519", "lib.sha512"
"""Modules that leave the heap again as soon as they have signed or verified."""

_NAME = const("sig")
_SEED = const(32)
_DOMAIN = const(b"noria-sig-1\n")


class Identity:
    """The signing key in ``nvs``, an ``esp32.NVS`` or any like it."""

    def __init__(self, nvs):
        self._nvs = nvs
        self._held = bytearray(2 * _SEED)  # private key, public key
        try:
            self.present = nvs.get_blob(_NAME, self._held) == len(self._held)
        except (OSError, ValueError):  # none, or one of another length
            self.present = False

    def make(self):
        """Draw a key where there is none. The radio has to be on: its noise is the entropy."""
        if self.present:
            return
        from lib import ed25519

        seed = os.urandom(_SEED)
        self._held = bytearray(seed + ed25519.public_key(seed))
        unload(*ED25519)
        self._nvs.set_blob(_NAME, self._held)
        self._nvs.commit()
        self.present = True

    @property
    def public_key(self):
        """The public half, 32 bytes; empty when there is no key."""
        return bytes(self._held[_SEED:]) if self.present else b""

    def signature(self, topic, obj):
        """SIG for ``obj`` on ``topic``: 86 characters as bytes."""
        from lib import ed25519

        seed = bytes(self._held[:_SEED])
        signed = ed25519.sign(seed, self.public_key, _DOMAIN, topic.encode(), b"\n", obj)
        unload(*ED25519)
        return envelope.b64url(signed)


def public_key_hex(board):
    """The public key as 64 hex digits, for the cable; made first when the board has none."""
    board.wlan()
    identity = Identity(board.nvs())
    identity.make()
    return "".join("%02x" % byte for byte in identity.public_key)

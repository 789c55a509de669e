"""The signing key: made on the device, kept in NVS, never replaced; only its public half leaves it.

If NVS is lost, so is the key: the node reports that by an event and sends with the MAC alone until
it is enrolled by cable again. A new key made by itself would look like a forger's.
"""

import os

from lib import ED25519, unload
from micropython import const
from node.storage import envelope

_NAME = const("sig")
_SEED = const(32)
_NOT_FOUND = const(-0x1102)  # ESP_ERR_NVS_NOT_FOUND
_DOMAIN = const(b"noria-sig-1\n")


class SigningKey:
    """The signing key in ``nvs``, an ``esp32.NVS`` or any like it."""

    def __init__(self, nvs):
        self._nvs = nvs
        self._pair = bytearray(2 * _SEED)  # private key, public key
        self.missing = False
        """Whether NVS answers and has no key: only then one may be made, or its loss reported."""
        try:
            self.present = nvs.get_blob(_NAME, self._pair) == len(self._pair)
            self.missing = not self.present
        except Exception as error:  # noqa: BLE001 - a failing NVS may hold the key all the same
            self.present = False
            self.missing = isinstance(error, OSError) and error.errno == _NOT_FOUND

    def create(self):
        """Create the key if there is none. The radio has to be on: its noise is the entropy.

        Raises OSError when NVS does not answer: a new key must not replace one that it holds.
        """
        if self.present:
            return
        if not self.missing:
            raise OSError("NVS does not answer")
        from lib import ed25519

        seed = os.urandom(_SEED)
        self._pair = bytearray(seed + ed25519.public_key(seed))
        unload(*ED25519)
        self._nvs.set_blob(_NAME, self._pair)
        self._nvs.commit()
        self.present = True

    @property
    def public_key(self):
        """The public half, 32 bytes; empty when there is no key."""
        return bytes(self._pair[_SEED:]) if self.present else b""

    def signature(self, topic, *obj):
        """SIG for ``obj``, perhaps in parts, on ``topic``: 86 characters as bytes."""
        from lib import ed25519

        seed = bytes(self._pair[:_SEED])
        signed = ed25519.sign(seed, self.public_key, _DOMAIN, topic.encode(), b"\n", *obj)
        unload(*ED25519)
        return envelope.b64url(signed)


def public_key_hex(board):
    """The public key as 64 hex digits, for the cable; created first when the board has none."""
    board.wlan()
    key = SigningKey(board.nvs())
    key.create()
    return "".join("%02x" % byte for byte in key.public_key)

"""Messages as a node seals them (WIRE.md, section 1)."""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field

ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def drawn(length):
    """Random characters of WIRE.md's alphabet."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def b64(raw):
    """Base64url without padding, as text."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def mac(key, topic, object_text):
    """The envelope's MAC."""
    signed = f"{topic}\n{object_text}".encode()
    return b64(hmac.new(key, signed, hashlib.sha256).digest())


def link(object_text):
    """What the next message carries as ``prev``."""
    return b64(hashlib.sha256(object_text.encode()).digest()[:16])


@dataclass
class Sealed:
    """One sealed message: its identity, exact OBJECT, and whether it had a PUBACK."""

    boot: int
    seq: int
    text: str
    prev: str
    puback: bool = False
    sealed_in: int = 0

    @property
    def place(self):
        """(boot, seq)."""
        return self.boot, self.seq

    @property
    def h(self):
        """Its hash, as ``prev`` and ``ack`` carry it."""
        return link(self.text)


@dataclass
class Ring:
    """The counters and the flash of one node: what it sealed and what is not freed yet."""

    device: str
    key: bytes
    era: str = field(default_factory=lambda: drawn(8))
    boot: int = 1
    seq: int = 0
    prev: str = ""
    sealed: list = field(default_factory=list)
    freed: int = 0  # so many of `sealed`, from the first, are covered by an ack

    @property
    def topic(self):
        """Where it writes."""
        return f"noria/1/{self.device}/up"

    def reboot(self):
        """A cold start: the next message is the first of a new boot."""
        self.boot, self.seq = self.boot + 1, 0

    def seal(self, t, **more):
        """Seal one message with one reading; ``more`` overrides or adds fields."""
        self.seq += 1
        first = self.sealed[0].place if self.sealed else (self.boot, self.seq)
        fields = {
            "v": 1,
            "fw": "test-1",
            "era": self.era,
            "boot": self.boot,
            "seq": self.seq,
            "prev": self.prev,
            "up": 10 * self.seq,
            "t": int(t),
            "ts": "ntp",
            "ta": 10 * self.seq,
            "next": 900,
            "old": list(first),
            "r": [{"o": 0, "mm": 300 + self.seq % 500, "sp": 3, "n": 7, "of": 7, "tc": 150}],
            **more,
        }
        text = json.dumps(fields, separators=(",", ":"))
        message = Sealed(self.boot, self.seq, text, self.prev)
        self.prev = message.h
        self.sealed.append(message)
        return message

    def payload(self, message):
        """The envelope of a sealed message."""
        return f"{message.text}\n{mac(self.key, self.topic, message.text)}"

    def believed(self, payload):
        """What an ack covers: the index behind the last covered message; None: frees nothing."""
        object_text, _, given = payload.decode().partition("\n")
        right = mac(self.key, f"noria/1/{self.device}/ack", object_text)
        if not hmac.compare_digest(right, given):
            return None
        ack = json.loads(object_text)
        if ack["era"] != self.era:
            return None
        for index, message in enumerate(self.sealed):
            if message.place == (ack["boot"], ack["seq"]) and message.h == ack["h"]:
                return index + 1
        return 0 if ack["boot"] == 0 else None

"""Decodes the wire format: envelope, strict JSON, fields and ranges (WIRE.md, section 1)."""

from gateway.wire.admission import Admitted, Refusal, admit, admit_decoded
from gateway.wire.decoded import FEED_ERA, Decoded, decode, message_of

__all__ = [
    "FEED_ERA", "Admitted", "Decoded", "Refusal", "admit", "admit_decoded", "decode",
    "message_of",
]  # fmt: skip

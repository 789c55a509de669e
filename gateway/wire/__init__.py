"""The wire format, read: envelope, strict JSON, fields and ranges (WIRE.md, section 1)."""

from gateway.domain.envelope import Envelope, split
from gateway.wire.admission import Admitted, Refusal, admit, admitted
from gateway.wire.decoded import FEED_ERA, Decoded, decode, message_of

__all__ = [
    "FEED_ERA", "Admitted", "Decoded", "Envelope", "Refusal", "admit", "admitted", "decode",
    "message_of", "split",
]  # fmt: skip

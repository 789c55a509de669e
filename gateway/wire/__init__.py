"""The wire format, read: envelope, strict JSON, fields and ranges (WIRE.md, section 1)."""

from gateway.domain.envelope import Envelope, split
from gateway.wire.admission import Admitted, Refusal, admit
from gateway.wire.decoded import Decoded, decode, message_of

__all__ = ["Admitted", "Decoded", "Envelope", "Refusal", "admit", "decode", "message_of", "split"]

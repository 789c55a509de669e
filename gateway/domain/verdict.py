"""The verdict on an authentic message (WIRE.md, *What the gateway does with what arrives*).

The single journal, its fast path and the cluster share these rules. The caller has refused
what is not authentic, comes from a revoked device or was sealed under an older key.
"""

from typing import Literal, NamedTuple, Protocol

from gateway.domain.chain import Identity
from gateway.domain.entry import EntryVerdict

MessageIdentity = tuple[str, int, int]
"""(era, boot, seq) of a message; unique within its device."""

VerdictName = EntryVerdict | Literal["duplicate"]


class MessageKey(NamedTuple):
    """The part of a message that its verdict depends on; None where a field is unreadable.

    ``hash`` is SHA-256(OBJECT), ``old`` the (boot, seq) where the node's unbroken run begins,
    ``flag`` the reason why the message is flagged.
    """

    device: str
    hash: bytes
    identity: MessageIdentity | None
    prev: str | None
    old: Identity | None
    flag: str | None


class KnownMessages(Protocol):
    """What is journaled so far: in one journal, or in all journals of a cluster."""

    def has_object(self, message: MessageKey) -> bool:
        """Whether the same OBJECT of the same device is journaled."""
        ...

    def has_identity(self, device: str, identity: MessageIdentity, /) -> bool:
        """Whether any message of ``device``, forks included, has this identity."""
        ...

    def has_prev(self, device: str, prev: str, /) -> bool:
        """Whether any message of ``device``, forks included, names this ``prev``."""
        ...

    def newest(self, device: str, era: str, /) -> Identity | None:
        """The highest place stored in the era, (0, 0) before any; None for a new era."""
        ...


class Verdict(NamedTuple):
    """The verdict and its effects.

    ``extends_line``: the message counts for its era's ack line. ``new_era``: it is the first
    message of its era.
    """

    name: VerdictName
    extends_line: bool = False
    new_era: bool = False

    @property
    def is_newest(self) -> bool:
        """Whether the message is now the newest of its era."""
        return self.name == "stored"


STORED = Verdict("stored", extends_line=True)
FIRST_STORED = Verdict("stored", extends_line=True, new_era=True)
DUPLICATE = Verdict("duplicate")


def judge(message: MessageKey, known: KnownMessages) -> Verdict:
    """The verdict on ``message``, given what was journaled before it."""
    device, identity, prev = message.device, message.identity, message.prev
    if known.has_object(message):
        return DUPLICATE
    newest = known.newest(device, identity[0]) if identity else None
    new_era = identity is not None and newest is None
    if (identity and known.has_identity(device, identity)) or (
        prev and known.has_prev(device, prev)
    ):
        return Verdict("fork", new_era=new_era)
    if identity is None or message.flag is not None:
        return Verdict("flagged", extends_line=identity is not None, new_era=new_era)
    if newest is None or identity[1:] > newest:
        return FIRST_STORED if new_era else STORED
    return Verdict("late", extends_line=True)

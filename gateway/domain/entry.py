"""One entry of the journal, as its readers see it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from gateway.domain.inputs import Auth

NO_LINES: Mapping[str, str] = MappingProxyType({})
EntryVerdict = Literal["stored", "late", "fork", "flagged"]


class Entry(NamedTuple):
    """One entry: a message or a fact, in journal order from 1.

    ``received`` is gateway time in Unix s (ms precision); ``kind`` the leaf's kind (``msg fork run
    clock reg plan cal cust cmd inc op ...``); ``subject`` a device, a random tank id or ``-``;
    ``body`` exactly what the leaf commits to: for messages ``topic LF payload``, else one JSON
    object. ``verdict``, ``flag`` and ``newest`` are set for messages only; ``newest`` is true when
    the message was the newest of its era on arrival; ``auth`` is what proved it.
    """

    id: int
    received: float
    kind: str
    subject: str
    body: bytes
    lines: Mapping[str, str] = NO_LINES
    verdict: EntryVerdict | None = None
    flag: str | None = None
    newest: bool = False
    auth: Auth | None = None

    @property
    def topic(self) -> str:
        """The topic of a message entry."""
        return self.body.partition(b"\n")[0].decode("ascii")

    @property
    def payload(self) -> bytes:
        """The payload of a message entry, byte for byte as it came."""
        return self.body.partition(b"\n")[2]

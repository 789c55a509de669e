"""One entry of the journal, as its readers get it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from gateway.domain.inputs import Auth

JSON: TypeAlias = dict[str, "JSON"] | list["JSON"] | str | int | float | bool | None

NO_LINES: Mapping[str, str] = MappingProxyType({})
EntryVerdict = Literal["stored", "late", "fork", "flagged"]


class Entry(NamedTuple):
    """One entry: a message or a fact, in journal order from 1.

    ``received`` is gateway time in Unix s (ms precision); ``kind`` the leaf's kind (``msg fork run
    clock reg plan cal cust cmd inc op ...``); ``subject`` a device, a random tank id or ``-``;
    ``body`` the bytes that the leaf commits to: for messages ``topic LF payload``, else one JSON
    object. Messages alone have ``verdict``, ``flag``, ``auth`` (what proved the sender) and
    ``newest`` (it was the newest of its era on arrival).
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
        """The payload of a message entry, byte for byte as received."""
        return self.body.partition(b"\n")[2]

"""The messages of all journals together, for one registration (``domain.verdict``).

One query of each kind covers a whole batch; only a line that reaches older rows needs more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from gateway import wire
from gateway.cluster import tables
from gateway.domain.chain import NOWHERE, AckLine, ChainLink, Identity, advance
from gateway.domain.entry import Entry
from gateway.domain.envelope import chain_hash_of
from gateway.domain.verdict import MessageIdentity, MessageKey, VerdictName, judge

_COLUMNS = "e.subject, e.era, e.boot, e.seq, e.hash, e.prev, e.kind = 'fork' AS fork"
_HASHES = sa.text("SELECT subject, hash FROM shared_entry WHERE hash = ANY(CAST(:h AS bytea[]))")
_IDENTITIES = sa.text(
    f"SELECT {_COLUMNS} FROM unnest(CAST(:d AS text[]), CAST(:e AS text[]), CAST(:b AS bigint[]),"  # noqa: S608 - a constant
    " CAST(:s AS bigint[])) AS q (d, e, b, s)"
    " JOIN shared_entry e ON e.subject = q.d AND e.era = q.e AND e.boot = q.b AND e.seq = q.s"
)
_PREVS = sa.text(
    f"SELECT {_COLUMNS} FROM unnest(CAST(:d AS text[]), CAST(:p AS text[])) AS q (d, p)"  # noqa: S608 - a constant
    " JOIN shared_entry e ON e.subject = q.d AND e.prev = q.p"
)
_UNLINKED = sa.text(
    f"SELECT {_COLUMNS} FROM shared_entry e"  # noqa: S608 - a constant
    " LEFT JOIN shared_era l ON l.device = e.subject AND l.era = e.era"
    " WHERE e.subject = ANY(CAST(:d AS text[])) AND e.hash IS NOT NULL AND e.prev IS NULL"
    " AND e.era IS NOT NULL"
    " AND (e.boot, e.seq) > (coalesce(l.line_boot, 0), coalesce(l.line_seq, 0))"
)
_ONWARD = sa.text(
    f"SELECT {_COLUMNS} FROM shared_entry e WHERE e.subject = :d AND e.era = :e"  # noqa: S608 - a constant
    " AND (e.boot, e.seq) >= (:b, :s) ORDER BY e.boot, e.seq LIMIT 500"
)


def message_key(entry: Entry, object_hash: bytes) -> MessageKey:
    """What the verdict on a journal's entry of kind ``msg`` or ``fork`` depends on.

    ``object_hash`` is the journal's: a third-party message is identified by more than its bytes.
    """
    found = wire.message_of(entry)
    return MessageKey(entry.subject, object_hash, found.identity, found.prev, found.old, found.flag)


@dataclass(frozen=True, slots=True)
class SharedEra:
    """One era over all journals; ``version`` grows with every message of any era."""

    device: str
    era: str
    version: int = 0
    newest: Identity = NOWHERE
    line: AckLine = field(default=AckLine())


class SharedMessages:
    """What the journals hold of the devices of ``messages``, in ``connection``'s transaction.

    Implements ``domain.verdict.KnownMessages``.
    """

    def __init__(
        self, connection: sa.Connection, messages: Sequence[MessageKey], devices: Iterable[str]
    ) -> None:
        self._connection = connection
        self._links: dict[tuple[str, str, str], dict[Identity, ChainLink]] = {}
        self._at: dict[tuple[str, str, Identity], ChainLink] = {}
        self._unlinked: dict[tuple[str, str, Identity], ChainLink] = {}
        self._identities: set[tuple[str, MessageIdentity]] = set()
        self._prevs: set[tuple[str, str]] = set()
        self._loaded: set[tuple[str, str]] = set()
        names = sorted({m.device for m in messages} | set(devices))
        self._eras = {(s.device, s.era): s for s in _load_eras(connection, names)}
        self.changed: set[tuple[str, str]] = set()
        self._objects: set[tuple[str, bytes]] = set()
        if messages:
            self._load(messages, names)

    def has_object(self, message: MessageKey) -> bool:
        """Whether the same OBJECT of the same device is registered."""
        return (message.device, message.hash) in self._objects

    def has_identity(self, device: str, identity: MessageIdentity) -> bool:
        """Whether any message, forks included, has this identity."""
        return (device, identity) in self._identities

    def has_prev(self, device: str, prev: str) -> bool:
        """Whether any message, forks included, names this ``prev``."""
        return (device, prev) in self._prevs

    def newest(self, device: str, era: str) -> Identity | None:
        """The highest place stored in the era; None for a new era."""
        found = self._eras.get((device, era))
        return found and found.newest

    def register(self, message: MessageKey) -> VerdictName:
        """Add one message, in order; returns its verdict over all journals."""
        verdict = judge(message, self)
        if verdict.name == "duplicate":
            return verdict.name
        device, identity = message.device, message.identity
        self._objects.add((device, message.hash))
        if message.prev:
            self._prevs.add((device, message.prev))
        if identity is None:
            return verdict.name
        self._identities.add((device, identity))
        name, place = identity[0], identity[1:]
        era = self._eras.get((device, name)) or SharedEra(device, name)
        if verdict.extends_line:
            link = ChainLink(place, chain_hash_of(message.hash))
            self._put(device, name, message.prev, link)
            declared = era.line.declared(message.old, place)
            line = advance(declared, _SharedEraRows(self, (device, name))).line
            era = replace(era, line=line, newest=place if verdict.is_newest else era.newest)
        self._eras[device, name] = era
        return verdict.name

    def mark_due(self, device: str, era: str | None, version: int) -> None:
        """An ack of this era is due, or of the device's last where ``era`` is not known."""
        found = self._eras.get((device, era)) if era else self._last_of(device)
        if found is not None:
            key = (found.device, found.era)
            self._eras[key] = replace(found, version=version)
            self.changed.add(key)

    def save(self) -> None:
        """Write the eras that changed."""
        if self.changed:
            rows = [_row(self._eras[key]) for key in sorted(self.changed)]
            self._connection.execute(_UPSERT, rows)

    def _last_of(self, device: str) -> SharedEra | None:
        own = [s for s in self._eras.values() if s.device == device and s.version]
        return max(own, key=lambda s: s.version, default=None)

    def _load(self, messages: Sequence[MessageKey], names: list[str]) -> None:
        found = self._connection.execute(_HASHES, {"h": [m.hash for m in messages]})
        self._objects = {(row.subject, bytes(row.hash)) for row in found}
        placed = [(m.device, *m.identity) for m in messages if m.identity]
        columns = list(zip(*placed, strict=True)) or [()] * 4
        keys = dict(zip("debs", map(list, columns), strict=True))
        for row in self._keep(_IDENTITIES, keys):
            self._identities.add((row.subject, (row.era, row.boot, row.seq)))
        ends = [(s.device, s.line.end.h) for s in self._eras.values() if s.line.begun]
        links = [(m.device, chain_hash_of(m.hash)) for m in messages]
        self._load_followers({*((m.device, m.prev) for m in messages if m.prev), *ends, *links})
        self._keep(_UNLINKED, {"d": names})

    def _load_followers(self, pairs: set[tuple[str, str]]) -> None:
        """Load every message whose device and ``prev`` are one of ``pairs``."""
        wanted = sorted(pairs)
        given = {"d": [d for d, _ in wanted], "p": [p for _, p in wanted]}
        self._prevs |= {(row.subject, row.prev) for row in self._keep(_PREVS, given)}
        self._loaded |= pairs

    def _keep(self, query: sa.TextClause, values: Mapping[str, object]) -> Sequence[sa.Row[Any]]:
        rows = self._connection.execute(query, values).all()
        for row in rows:
            if not row.fork and row.era is not None:
                link = ChainLink((row.boot, row.seq), chain_hash_of(bytes(row.hash)))
                self._put(row.subject, row.era, row.prev, link)
        return rows

    def _put(self, device: str, era: str, prev: str | None, link: ChainLink) -> None:
        self._at[device, era, link.place] = link
        if prev is None:
            self._unlinked[device, era, link.place] = link
        else:
            self._links.setdefault((device, era, prev), {})[link.place] = link

    def follower(self, device: str, era: str, h: str) -> ChainLink | None:
        """The message whose ``prev`` is ``h``; the lowest place where there are several."""
        known = self._links.get((device, era, h))
        if not known and (device, h) not in self._loaded:
            self._load_followers({(device, h)})
            known = self._links.get((device, era, h))
            if known:  # the line reaches messages of an earlier batch: load those behind it too
                boot, seq = min(known)
                self._keep(_ONWARD, {"d": device, "e": era, "b": boot, "s": seq})
        return known[min(known)] if known else None

    def at(self, device: str, era: str, place: Identity) -> ChainLink | None:
        """The message at ``place``, forks left out."""
        if (device, era, place) not in self._at:
            self._keep(_IDENTITIES, {"d": [device], "e": [era], "b": [place[0]], "s": [place[1]]})
        return self._at.get((device, era, place))

    def unlinked(self, device: str, era: str, place: Identity) -> ChainLink | None:
        """The flagged message at ``place`` whose ``prev`` is unreadable."""
        return self._unlinked.get((device, era, place))


@dataclass(frozen=True, slots=True)
class _SharedEraRows:
    """One era of all journals (``domain.chain.JournaledEra``)."""

    messages: SharedMessages
    era: tuple[str, str]

    def first(self) -> ChainLink | None:
        return self.at((1, 1)) or self.after("")

    def at(self, place: Identity) -> ChainLink | None:
        return self.messages.at(*self.era, place)

    def after(self, h: str) -> ChainLink | None:
        return self.messages.follower(*self.era, h)

    def unlinked(self, place: Identity) -> ChainLink | None:
        return self.messages.unlinked(*self.era, place)


def shared_era_of(row: sa.Row[Any]) -> SharedEra:
    """A row of ``shared_era``."""
    line = AckLine(
        ChainLink((row.line_boot, row.line_seq), row.line_h), (row.old_boot, row.old_seq)
    )
    return SharedEra(row.device, row.era, row.version, (row.newest_boot, row.newest_seq), line)


def _load_eras(connection: sa.Connection, devices: list[str]) -> list[SharedEra]:
    if not devices:
        return []
    query = sa.text("SELECT * FROM shared_era WHERE device = ANY(CAST(:d AS text[]))")
    return [shared_era_of(row) for row in connection.execute(query, {"d": devices})]


def _row(era: SharedEra) -> dict[str, str | int]:
    line = era.line
    return {
        "device": era.device, "era": era.era, "version": era.version,
        "newest_boot": era.newest[0], "newest_seq": era.newest[1],
        "line_boot": line.end.place[0], "line_seq": line.end.place[1], "line_h": line.end.h,
        "old_boot": line.old[0], "old_seq": line.old[1],
    }  # fmt: skip


_INSERT = insert(tables.era)
_KEY = ["device", "era"]
_UPSERT = _INSERT.on_conflict_do_update(
    index_elements=_KEY,
    set_={column.name: column for column in _INSERT.excluded if column.name not in _KEY},
)

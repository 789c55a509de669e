"""The messages of all journals together, for one registration: verdicts, and the line over them.

The rules are WIRE.md's, as ``gateway.journal.messages`` has them for one journal. What a batch
needs to know is asked at once; only a line that walks on into older rows asks again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import sqlalchemy as sa

from gateway import wire
from gateway.domain.chain import NOWHERE, AckLine, ChainLink, Identity, advance
from gateway.domain.entry import Entry, EntryVerdict
from gateway.domain.envelope import chain_hash_of

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


@dataclass(frozen=True, slots=True)
class RegisteredMessage:
    """One message as a journal has it, read again. ``hash`` is SHA-256(OBJECT)."""

    entry: Entry
    hash: bytes
    identity: tuple[str, int, int] | None
    prev: str | None
    old: Identity | None
    flag: str | None

    @property
    def device(self) -> str:
        """Who said it."""
        return self.entry.subject


def registered_message(entry: Entry, object_hash: bytes) -> RegisteredMessage:
    """What registering needs of a journal's entry of kind ``msg`` or ``fork``, and its hash there.

    The hash is the journal's: a third-party message is known by more than its bytes.
    """
    decoded = wire.message_of(entry)
    return RegisteredMessage(
        entry, object_hash, decoded.identity, decoded.prev, decoded.old, decoded.flag
    )


@dataclass(frozen=True, slots=True)
class SharedEra:
    """One era over all journals: the newest message that counted, the line, when last heard."""

    device: str
    era: str
    version: int = 0
    newest: Identity = NOWHERE
    line: AckLine = field(default=AckLine())


class SharedVerdicts:
    """Everything that ``messages`` touch, as it stands in the transaction of ``connection``."""

    def __init__(
        self,
        connection: sa.Connection,
        messages: Sequence[RegisteredMessage],
        devices: Iterable[str],
    ) -> None:
        self._connection = connection
        self._links: dict[tuple[str, str, str], dict[Identity, ChainLink]] = {}
        self._at: dict[tuple[str, str, Identity], ChainLink] = {}
        self._unlinked: dict[tuple[str, str, Identity], ChainLink] = {}
        self._taken: set[tuple[str, str, Identity]] = set()
        self._prevs: set[tuple[str, str]] = set()
        self._asked: set[tuple[str, str]] = set()
        names = sorted({m.device for m in messages} | set(devices))
        self._eras = {(s.device, s.era): s for s in _standings(connection, names)}
        self.changed: dict[tuple[str, str], SharedEra] = {}
        self._hashes: set[tuple[str, bytes]] = set()
        if messages:
            self._look(messages, names)

    def judge(self, message: RegisteredMessage) -> EntryVerdict | Literal["duplicate"]:
        """Take one message in, in order; its verdict over all journals."""
        key = (message.device, message.hash)
        if key in self._hashes:
            return "duplicate"
        self._hashes.add(key)
        fork = self._is_fork(message)
        self._note(message, fork)
        if message.identity is None:
            return "fork" if fork else "flagged"
        era, *place = message.identity
        where: Identity = (place[0], place[1])
        standing = self._eras.get((message.device, era)) or SharedEra(message.device, era)
        verdict: EntryVerdict = "stored" if where > standing.newest else "late"
        verdict = "fork" if fork else "flagged" if message.flag else verdict
        if not fork:
            line = standing.line.declared(message.old, where)
            standing = replace(standing, line=advance(line, _Held(self, message.device, era)))
        if verdict == "stored":
            standing = replace(standing, newest=where)
        self._eras[message.device, era] = standing
        return verdict

    def spoke(self, device: str, era: str | None, version: int) -> None:
        """An ack of this era is due, or of the device's last where ``era`` is not known."""
        found = self._eras.get((device, era)) if era else self._last_of(device)
        if found is not None:
            key = (found.device, found.era)
            self._eras[key] = self.changed[key] = replace(found, version=version)

    def save(self) -> None:
        """Write the eras that changed."""
        if self.changed:
            self._connection.execute(_upsert(), [_row(self._eras[key]) for key in self.changed])

    def _last_of(self, device: str) -> SharedEra | None:
        own = [s for s in self._eras.values() if s.device == device and s.version]
        return max(own, key=lambda s: s.version, default=None)

    def _look(self, messages: Sequence[RegisteredMessage], names: list[str]) -> None:
        run = self._connection.execute
        found = run(_HASHES, {"h": [m.hash for m in messages]})
        self._hashes = {(row.subject, bytes(row.hash)) for row in found}
        placed = [(m.device, *m.identity) for m in messages if m.identity]
        columns = list(zip(*placed, strict=True)) or [()] * 4
        keys = dict(zip("debs", map(list, columns), strict=True))
        for row in run(_IDENTITIES, keys):
            self._taken.add((row.subject, row.era, (row.boot, row.seq)))
            self._keep(row)
        ends = [(s.device, s.line.end.h) for s in self._eras.values() if s.line.begun]
        links = [(m.device, chain_hash_of(m.hash)) for m in messages]
        self._ask({*((m.device, m.prev) for m in messages if m.prev), *ends, *links})
        for row in run(_UNLINKED, {"d": names}):
            self._keep(row)

    def _ask(self, pairs: set[tuple[str, str]]) -> None:
        """Learn every message of these devices that names these hashes."""
        wanted = sorted(pairs)
        given = {"d": [d for d, _ in wanted], "p": [p for _, p in wanted]}
        for row in self._connection.execute(_PREVS, given):
            self._prevs.add((row.subject, row.prev))
            self._keep(row)
        self._asked |= pairs

    def _keep(self, row: sa.Row[Any]) -> None:
        if not row.fork and row.era is not None:
            link = ChainLink((row.boot, row.seq), chain_hash_of(bytes(row.hash)))
            self._put(row.subject, row.era, row.prev, link)

    def _put(self, device: str, era: str, prev: str | None, link: ChainLink) -> None:
        self._at[device, era, link.place] = link
        if prev is None:
            self._unlinked[device, era, link.place] = link
        else:
            self._links.setdefault((device, era, prev), {})[link.place] = link

    def _is_fork(self, message: RegisteredMessage) -> bool:
        taken = False
        if message.identity:
            era, boot, seq = message.identity
            taken = (message.device, era, (boot, seq)) in self._taken
        return taken or (bool(message.prev) and (message.device, message.prev) in self._prevs)

    def _note(self, message: RegisteredMessage, fork: bool) -> None:
        if message.prev:
            self._prevs.add((message.device, message.prev))
        if message.identity:
            era, boot, seq = message.identity
            self._taken.add((message.device, era, (boot, seq)))
            if not fork:
                link = ChainLink((boot, seq), chain_hash_of(message.hash))
                self._put(message.device, era, message.prev, link)

    def follower(self, device: str, era: str, h: str) -> ChainLink | None:
        """The message whose ``prev`` is ``h``; the lowest place where there are several."""
        known = self._links.get((device, era, h))
        if not known and (device, h) not in self._asked:
            self._ask({(device, h)})
            known = self._links.get((device, era, h))
            if known:  # an old run of messages begins: the next steps need the rows behind it
                boot, seq = min(known)
                given = {"d": device, "e": era, "b": boot, "s": seq}
                for row in self._connection.execute(_ONWARD, given):
                    self._keep(row)
        return known[min(known)] if known else None

    def at(self, device: str, era: str, place: Identity) -> ChainLink | None:
        """The message at ``place``, forks left out."""
        if (device, era, place) not in self._at:
            keys = {"d": [device], "e": [era], "b": [place[0]], "s": [place[1]]}
            for row in self._connection.execute(_IDENTITIES, keys):
                self._keep(row)
        return self._at.get((device, era, place))

    def unlinked(self, device: str, era: str, place: Identity) -> ChainLink | None:
        """The flagged message at ``place`` whose ``prev`` cannot be read."""
        return self._unlinked.get((device, era, place))


class _Held:
    """One era of the union, as ``domain.line`` asks for it."""

    def __init__(self, union: SharedVerdicts, device: str, era: str) -> None:
        self._union = union
        self._of = (device, era)

    def first(self) -> ChainLink | None:
        return self._union.at(*self._of, (1, 1)) or self._union.follower(*self._of, "")

    def at(self, place: Identity) -> ChainLink | None:
        return self._union.at(*self._of, place)

    def after(self, h: str) -> ChainLink | None:
        return self._union.follower(*self._of, h)

    def unlinked(self, place: Identity) -> ChainLink | None:
        return self._union.unlinked(*self._of, place)


def shared_era_of(row: sa.Row[Any]) -> SharedEra:
    """A row of ``shared_era``."""
    line = AckLine(
        ChainLink((row.line_boot, row.line_seq), row.line_h), (row.old_boot, row.old_seq)
    )
    return SharedEra(row.device, row.era, row.version, (row.newest_boot, row.newest_seq), line)


def _standings(connection: sa.Connection, devices: list[str]) -> list[SharedEra]:
    if not devices:
        return []
    query = sa.text("SELECT * FROM shared_era WHERE device = ANY(CAST(:d AS text[]))")
    return [shared_era_of(row) for row in connection.execute(query, {"d": devices})]


_FIELDS = (
    "device", "era", "version", "newest_boot", "newest_seq",
    "line_boot", "line_seq", "line_h", "old_boot", "old_seq",
)  # fmt: skip


def _row(standing: SharedEra) -> dict[str, Any]:
    line = standing.line
    places = (*standing.newest, *line.end.place, line.end.h, *line.old)
    values = (standing.device, standing.era, standing.version, *places)
    return dict(zip(_FIELDS, values, strict=True))


def _upsert() -> sa.TextClause:
    names, marks = ", ".join(_FIELDS), ", ".join(f":{name}" for name in _FIELDS)
    new = ", ".join(f"{name} = excluded.{name}" for name in _FIELDS[2:])
    return sa.text(
        f"INSERT INTO shared_era ({names}) VALUES ({marks})"  # noqa: S608 - constants
        f" ON CONFLICT (device, era) DO UPDATE SET {new}"
    )

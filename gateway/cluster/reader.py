"""Reads the entries of all journals in their common order, as projections read a journal."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from gateway.cluster import tables
from gateway.cluster.archives import ClusterArchives
from gateway.domain.entry import Entry
from gateway.journal.archive.reader import PAYLOADS

_e, _p = tables.entry.c, tables.place.c
_SAME = sa.and_(_e.gateway == _p.gateway, _e.entry == _p.entry)
_QUERY = sa.select(_p.place, tables.entry).join(tables.entry, _SAME)


class MergedReader:
    """As ``JournalReader``; an entry's ``id`` is its place in the common order.

    Pruned bodies are read from ``archives``. Raises OperationalError without a database,
    ArchiveError where an archive file is missing.
    """

    def __init__(self, engine: sa.Engine, archives: ClusterArchives | None = None) -> None:
        self._engine = engine
        self._archives = archives or ClusterArchives(engine)

    def entries(self, after: int, limit: int) -> list[Entry]:
        """The entries that follow place ``after``, at most ``limit``."""
        place = tables.place.c.place
        return self._read(_QUERY.where(place > after).order_by(place).limit(limit))

    def all(self, chunk: int = 2000) -> Iterator[Entry]:
        """Every entry, in order."""
        after = 0
        while chunk_of := self.entries(after, chunk):
            yield from chunk_of
            after = chunk_of[-1].id

    def check(self, after: int = 0) -> None:
        """Check that all entries after place ``after`` can be read; raises ArchiveError."""
        self._archives.check(after)

    def received_at(self, entry: int) -> float | None:
        """When the entry at this place was received (Unix s), None when there is none."""
        query = _QUERY.with_only_columns(tables.entry.c.received, maintain_column_froms=True)
        with self._engine.connect() as connection:
            return connection.execute(query.where(tables.place.c.place == entry)).scalar()

    def boot_entries(self, device: str, era: str, boot: int, after: int = 0) -> list[Entry]:
        """The messages of one boot after place ``after``, by ``seq``, without forks."""
        e = tables.entry.c
        behind = tables.place.c.place > after
        own = sa.and_(e.subject == device, e.era == era, e.boot == boot, e.kind == "msg", behind)
        return self._read(_QUERY.where(own).order_by(e.seq))

    def last_id(self) -> int:
        """The newest place, 0 when there is none."""
        with self._engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.max(tables.place.c.place))) or 0

    def close(self) -> None:
        """Release the archive files; the connections belong to the engine."""
        self._archives.close()

    def _read(self, query: sa.Select[Any]) -> list[Entry]:
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        absent = [(r.gateway, r.entry) for r in rows if not r.body and r.kind in PAYLOADS]
        moved = self._archives.bodies(absent) if absent else {}
        return [_entry(row, moved.get((row.gateway, row.entry), bytes(row.body))) for row in rows]


def _entry(row: sa.Row[Any], body: bytes) -> Entry:
    return Entry(
        id=row.place,
        received=row.received,
        kind=row.kind,
        subject=row.subject,
        body=body,
        lines=row.lines,
        verdict=row.verdict,
        flag=row.flag,
        newest=row.newest,
        auth=row.auth,
    )

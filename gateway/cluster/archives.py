"""Archive files of all gateways, as far as they are on this machine.

This gateway's are in its folder. Another's are expected in a subfolder of its name: a person copies
them there when a rebuild here needs what that gateway archived.
"""

from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from gateway.cluster import tables
from gateway.errors import ArchiveError
from gateway.journal.archive import reader
from gateway.journal.archive.reader import Archive, SegmentRow
from gateway.settings import Settings


class ClusterArchives:
    """The archive files under ``folder``, which is ``gateway``'s own. For one thread; close it."""

    def __init__(
        self, engine: sa.Engine, folder: Path = Path(reader.FOLDER), gateway: str = ""
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._own = gateway
        self._of: dict[str, Archive] = {}

    def bodies(self, wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], bytes]:
        """The bodies of these entries of gateways' journals.

        Raises ArchiveError, whose ``last`` is a place in the common order.
        """
        found: dict[tuple[str, int], bytes] = {}
        for gateway in sorted({gateway for gateway, _ in wanted}):
            entries = [entry for g, entry in wanted if g == gateway]
            try:
                bodies = self._archive(gateway).bodies(entries)
            except ArchiveError as error:
                raise self._located(gateway, error) from error
            found |= {(gateway, entry): body for entry, body in bodies.items()}
        return found

    def check(self, after: int) -> None:
        """Check that every file with pruned entries after place ``after`` is there and intact."""
        s = tables.segment.c
        with self._engine.connect() as connection:
            pruned = connection.execute(sa.select(tables.segment).where(s.pruned >= s.first)).all()
            needed = [r for r in pruned if _place(connection, r.gateway, r.pruned) > after]
        firsts: dict[str, int] = {}
        for row in needed:
            firsts[row.gateway] = min(row.first, firsts.get(row.gateway, row.first))
        for gateway, first in sorted(firsts.items()):
            try:
                self._archive(gateway).check(first - 1)
            except ArchiveError as error:
                raise self._located(gateway, error) from error

    def close(self) -> None:
        """Release the files."""
        for one in self._of.values():
            one.close()
        self._of = {}

    def _archive(self, gateway: str) -> Archive:
        if gateway not in self._of:
            folder = self._folder if gateway == self._own else self._folder / gateway
            self._of[gateway] = Archive(lambda: self._known(gateway), folder)
        return self._of[gateway]

    def _known(self, gateway: str) -> list[SegmentRow]:
        s = tables.segment.c
        query = sa.select(tables.segment).where(s.gateway == gateway, s.pruned >= s.first)
        with self._engine.connect() as connection:
            return [
                SegmentRow(r.first, r.last, r.pruned, r.name, bytes(r.digest), r.bytes)
                for r in connection.execute(query.order_by(s.first))
            ]

    def _located(self, gateway: str, error: ArchiveError) -> ArchiveError:
        text = str(error)
        if gateway != self._own:
            text = f"gateway {gateway}'s {text}; it is in the folder archive of that gateway"
        with self._engine.connect() as connection:
            return ArchiveError(text, _place(connection, gateway, error.last))


def archives_of(settings: Settings, engine: sa.Engine) -> ClusterArchives:
    """The archives of this installation."""
    return ClusterArchives(engine, reader.folder_of(settings.journal_path), settings.gateway_id)


def _place(connection: sa.Connection, gateway: str, entry: int) -> int:
    """The highest place of a gateway's entries up to ``entry``."""
    p = tables.place.c
    last = sa.select(sa.func.max(p.place)).where(p.gateway == gateway, p.entry <= entry)
    return connection.scalar(last) or 0

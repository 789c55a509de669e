"""The rows of ``message``: which of a batch nothing journaled touches, and filing many at once.

Most messages are simply the next of their line, which ``eras`` knows by itself. After an outage
they come in another order, and of each five questions to SQLite would be asked; instead a whole
batch is asked for at once, in 4 us a message. What is not known to be alone is judged one by one,
by ``messages`` and ``eras``.

New rows wait, on disk too, until many can be brought under the two indexes together: there each
device has a place of its own, and to read and write that for one message costs more than all else.
"""

from collections.abc import Iterable
from itertools import chain

from gateway.database import bulk_insert
from gateway.database.bulk_insert import Row
from gateway.journal.group_commit import Connection, GroupCommit, Write

Key = tuple[str, str, int, int]
"""Device, era, boot and seq of a message."""

Filed = tuple[int, str, str, int, int, bytes, str, bool]
"""Entry, device, era, boot, seq, hash, prev, fork: a row of ``message``."""

_COLUMNS = "n, device, era, boot, seq, following, prev, link"
# Same identity, the flagged message that may follow, or one that carries prev or link as prev.
_TOUCHED = (
    " SELECT n FROM given WHERE EXISTS (SELECT 1 FROM message m INDEXED BY message_identity"
    " WHERE m.device = given.device AND m.era = given.era AND m.boot = given.boot"
    " AND m.seq IN (given.seq, following))"
    " OR EXISTS (SELECT 1 FROM message m INDEXED BY message_prev"
    " WHERE m.device = given.device AND m.prev IN (given.prev, link))"
)


FILED_AT = 8192
"""So many messages are filed together: of 1,000 devices eight each, in less than 0.1 s."""


class PendingIndex:
    """Works inside the caller's transaction; what is ``asked`` holds until its end."""

    def __init__(self, disk: GroupCommit) -> None:
        self._disk = disk
        self._waiting: list[Row] = []
        self._unfiled = 0
        self._alone: set[Key] = set()
        self._lately: list[Filed] = []  # what waits or is unfiled, and not yet in these two:
        self._places: set[Key] = set()
        self._prevs: set[tuple[str, str]] = set()

    def ask(self, messages: Iterable[tuple[Key, str, str]]) -> None:
        """Look all up by key, their own link, and ``prev``. Raises sqlite3.Error."""
        rows: list[Row] = []
        keys: list[Key] = []
        for key, link, prev in messages:
            device, era, boot, seq = key
            rows.append((len(keys), device, era, boot, seq, seq + 1, prev or None, link))
            keys.append(key)
        touched: set[int] = set()
        for chunk in bulk_insert.chunks(rows):
            given = (
                f"WITH given({_COLUMNS}) AS (VALUES {bulk_insert.marks(len(chunk), len(chunk[0]))})"
            )
            found = self._disk.execute(given + _TOUCHED, list(chain.from_iterable(chunk)))
            touched.update(n for (n,) in found)
        self._alone.update(key for n, key in enumerate(keys) if n not in touched)

    def is_alone(self, key: Key, link: str, prev: str) -> bool:
        """Whether neither the journal nor this batch so far holds anything that touches it."""
        device, era, boot, seq = key
        self._note()
        return (
            key in self._alone
            and key not in self._places
            and (device, era, boot, seq + 1) not in self._places
            and (device, link) not in self._prevs
            and (device, prev) not in self._prevs
        )

    def wait(self, row: Filed) -> None:
        """Take a row of ``message`` that nothing touches; it is filed later."""
        self._waiting.append(row)
        self._lately.append(row)

    def put(self, row: Row, key: Key | None, device: str, prev: str | None) -> None:
        """File a row at once; None where its identity or its ``prev`` cannot be read."""
        bulk_insert.insert(self._disk, "INSERT INTO message", [row])
        if key:
            self._places.add(key)
        if prev:
            self._prevs.add((device, prev))

    def file(self) -> None:
        """Bring all that waits under the indexes."""
        waiting = self._waited()
        if self._unfiled:
            _write(self._disk, waiting, file=True)
            self._unfiled = 0

    def hand_over(self) -> Write:
        """What waits, to be written in the transaction."""
        waiting = self._waited()
        file = self._unfiled >= FILED_AT
        self._unfiled = 0 if file else self._unfiled
        self._alone.clear()
        if not self._unfiled:  # else whoever asks would not find them
            self._lately.clear()
            self._places.clear()
            self._prevs.clear()
        return lambda connection: _write(connection, waiting, file=file)

    def reload(self) -> None:
        """Load what is committed: at the start, and after a rollback."""
        for held in (self._waiting, self._lately, self._alone, self._places, self._prevs):
            held.clear()
        self._unfiled = 0
        for *key, prev in self._disk.execute("SELECT device, era, boot, seq, prev FROM unfiled"):
            device, era, boot, seq = key
            self._places.add((device, era, boot, seq))
            self._prevs.add((device, prev))
            self._unfiled += 1

    def _note(self) -> None:
        """Bring up to date what only the odd message asks for."""
        for _, device, era, boot, seq, _, prev, _ in self._lately:
            self._places.add((device, era, boot, seq))
            self._prevs.add((device, prev))
        self._lately.clear()

    def _waited(self) -> list[Row]:
        waiting, self._waiting = self._waiting, []
        self._unfiled += len(waiting)
        return waiting


def _write(connection: Connection, waiting: list[Row], *, file: bool) -> None:
    """With ``file``, each device's together."""
    bulk_insert.insert(connection, "INSERT INTO unfiled", waiting)
    if file:
        connection.execute(
            "INSERT INTO message SELECT * FROM unfiled ORDER BY device, era, boot, seq"
        )
        connection.execute("DELETE FROM unfiled")

"""Which message this is: new, late, a duplicate, a fork (WIRE.md, *What the gateway does*)."""

import hashlib
import sqlite3
from dataclasses import dataclass, replace

from gateway.domain.flood import Flood
from gateway.domain.line import Identity
from gateway.journal.counters import Counters
from gateway.journal.entry import Verdict
from gateway.journal.eras import Era, Eras
from gateway.journal.log import Judged, Log
from gateway.wire import Admitted


@dataclass(frozen=True, slots=True)
class Arrival:
    """A payload as it came; ``received`` in Unix s."""

    topic: str
    payload: bytes
    received: float


class Messages:
    """Journals authentic messages and moves their lines, inside the caller's transaction."""

    def __init__(
        self, connection: sqlite3.Connection, log: Log, eras: Eras, counters: Counters
    ) -> None:
        self._connection = connection
        self._log = log
        self._eras = eras
        self._counters = counters
        self._keys: dict[str, int] = {}
        self._flood = Flood()
        self.reload()

    def reload(self) -> None:
        """Load what is committed: at the start, and after a rollback."""
        rows = self._connection.execute("SELECT device, newest FROM key_generation")
        self._keys = dict(rows.fetchall())
        self._flood.undo()

    def save(self) -> None:
        """Before the transaction's commit."""
        self._flood.save()

    def is_flood(self, device: str, received: float) -> bool:
        """Whether this message is one of a flood: then it is counted, and not even looked at."""
        if not self._flood.floods(device, received):
            return False
        self._counters.add("flood")
        self._counters.mark("flood", device, received)
        return True

    def newest_key(self, device: str) -> int:
        """The newest key generation seen of a device, 0 when none."""
        return self._keys.get(device, 0)

    def accept(self, arrival: Arrival, admitted: Admitted) -> Era | None:
        """Journal an authentic message, unless it is a duplicate.

        Returns the era whose ack is due: the message's, or where that cannot be read the device's
        last; None when it never had one.
        """
        device, decoded = admitted.device.id, admitted.decoded
        digest = hashlib.sha256(admitted.object).digest()
        known = self._connection.execute(
            "SELECT era FROM message WHERE device = ? AND hash = ?", (device, digest)
        ).fetchone()
        if known:
            self._counters.add("duplicate")
            return self._spoken(device, known[0])
        fork = self._is_fork(device, decoded.identity, decoded.prev)
        era = self._eras.get(device, decoded.identity[0]) if decoded.identity else None
        judged = _judge(admitted, era, fork)
        self._flood.spend(device, arrival.received)
        self._mark(device, judged, era, arrival.received)
        entry = self._append(arrival, device, judged)
        self._counters.add(judged.verdict)
        self._connection.execute(
            "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (entry, device, *(decoded.identity or (None,) * 3), digest, decoded.prev, fork),
        )
        self._note_key(device, admitted)
        if era is not None and decoded.identity is not None:
            place = decoded.identity[1:]
            if not fork:
                era = self._eras.advance(era, decoded.old, place)
            newest = place if judged.newest else era.newest
            self._eras.spoke(replace(era, first=era.first or entry, newest=newest))
            return self._eras.get(device, era.era)
        return self._spoken(device, None)

    def _spoken(self, device: str, era: str | None) -> Era | None:
        found = self._eras.get(device, era) if era else self._eras.last_of(device)
        if found is not None:
            self._eras.spoke(found)
        return found

    def _mark(self, device: str, judged: Judged, era: Era | None, received: float) -> None:
        """What a coordinator should know of a device: forks, flags, counters that began anew."""
        if judged.verdict in ("fork", "flagged"):
            self._counters.mark(judged.verdict, device, received)
        elif era is not None and not era.first and self._eras.last_of(device) is not None:
            self._counters.mark("era", device, received)

    def _append(self, arrival: Arrival, device: str, judged: Judged) -> int:
        return self._log.append(
            "fork" if judged.verdict == "fork" else "msg",
            arrival.received,
            device,
            arrival.topic.encode("ascii") + b"\n" + arrival.payload,
            {"flag": judged.flag} if judged.flag else None,
            judged,
        )

    def _is_fork(
        self, device: str, identity: tuple[str, int, int] | None, prev: str | None
    ) -> bool:
        """Same identity with another OBJECT, or a second message with one non-empty ``prev``."""
        twin = prior = None
        if identity:
            twin = self._connection.execute(
                "SELECT 1 FROM message INDEXED BY message_identity"
                " WHERE device = ? AND era = ? AND boot = ? AND seq = ?",
                (device, *identity),
            ).fetchone()
        if prev:
            prior = self._connection.execute(
                "SELECT 1 FROM message INDEXED BY message_prev WHERE device = ? AND prev = ?",
                (device, prev),
            ).fetchone()
        return twin is not None or prior is not None

    def _note_key(self, device: str, admitted: Admitted) -> None:
        """A malformed message raises no key generation: that would shut older ones out."""
        decoded = admitted.decoded
        generation = decoded.key_generation or 1
        if decoded.message is not None and generation > self._keys.get(device, 0):
            self._keys[device] = generation
            self._connection.execute(
                "INSERT OR REPLACE INTO key_generation VALUES (?, ?)", (device, generation)
            )


def _judge(admitted: Admitted, era: Era | None, fork: bool) -> Judged:
    decoded = admitted.decoded
    place: Identity | None = decoded.identity[1:] if decoded.identity else None
    verdict: Verdict
    if fork:
        verdict = "fork"
    elif decoded.flag or era is None or place is None:
        verdict = "flagged"
    else:
        verdict = "stored" if place > era.newest else "late"
    return Judged(verdict, decoded.flag, decoded.auth, newest=verdict == "stored")

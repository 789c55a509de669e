"""Which message this is: new, late, a duplicate, a fork (WIRE.md, *What the gateway does*)."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import NamedTuple, get_args

from gateway.database import bulk_insert
from gateway.domain.chain import NOWHERE, ChainLink, Identity, extend
from gateway.domain.entry import EntryVerdict
from gateway.domain.inputs import Auth
from gateway.domain.rate_limit import RateLimiter
from gateway.journal import recent_bodies
from gateway.journal.counters import Counters
from gateway.journal.eras import Era, Eras
from gateway.journal.group_commit import GroupCommit, Write
from gateway.journal.log import Log, MessageVerdict
from gateway.journal.pending_index import Key, PendingIndex
from gateway.wire import FEED_ERA, Admitted

_FOLLOWS: Mapping[Auth, MessageVerdict] = {
    auth: MessageVerdict("stored", None, auth, True) for auth in get_args(Auth)
}


class Arrival(NamedTuple):
    """A payload as it came; ``received`` in Unix s."""

    topic: str
    payload: bytes
    received: float


class Messages:
    """Journals authentic messages and moves their lines, inside the caller's transaction."""

    def __init__(self, disk: GroupCommit, log: Log, eras: Eras, counters: Counters) -> None:
        self._disk = disk
        self._log = log
        self._eras = eras
        self._counters = counters
        self._keys: dict[str, int] = {}
        self._newer_keys: dict[str, int] = {}
        self._filing = PendingIndex(disk)
        self._coming: Sequence[Admitted] = ()
        self._flood = RateLimiter()
        self.reload()

    def reload(self) -> None:
        """Load what is committed: at the start, and after a rollback."""
        rows = self._disk.execute("SELECT device, newest FROM key_generation")
        self._keys = dict(rows.fetchall())
        self._newer_keys.clear()
        self._filing.reload()
        self._coming = ()
        self._flood.undo()

    def hand_over(self) -> Write:
        """What waits, to be written in the transaction."""
        file, settle = self._filing.hand_over(), self._flood.hand_over()
        newer = list(self._newer_keys.items())
        self._newer_keys.clear()
        self._coming = ()

        def write(connection: sqlite3.Connection) -> None:
            file(connection)
            bulk_insert.insert(connection, "INSERT OR REPLACE INTO key_generation", newer)
            settle()

        return write

    def floods(self, device: str, received: float) -> bool:
        """Whether a message of this device, received then, would be one of a flood."""
        return self._flood.floods(device, received)

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

    def expect(self, coming: Sequence[Admitted]) -> None:
        """These will be accepted in this transaction: what is to be looked up, can be together."""
        self._coming = coming

    def accept(
        self, arrival: Arrival, admitted: Admitted, lines: Mapping[str, str] | None = None
    ) -> Era | None:
        """Journal an authentic message, unless it is a duplicate; ``lines`` stand in its leaf.

        Returns the era whose ack is due: the message's, or where that cannot be read the device's
        last; None when it never had one.
        """
        device = admitted.device.id
        self._look_up()
        alone = self._is_alone(admitted)
        if not alone:
            self._filing.file()  # the questions that follow are to see what came before
            known = self._known(admitted)
            if known:
                self._counters.add("duplicate")
                return self._spoken(device, known[0])
        return self._judge(arrival, admitted, lines, alone)

    def follow(self, arrival: Arrival, admitted: Admitted) -> bool:
        """Journal a message that simply goes on its device's line, as nearly all do.

        False where there is something to ask first: ``accept`` would say the same of it, slower.
        """
        decoded, device, received = admitted.decoded, admitted.device.id, arrival.received
        identity, prev = decoded.identity, decoded.prev
        if not prev or identity is None or decoded.flag is not None:
            return False
        if decoded.key_generation != self._keys.get(device) or self._flood.floods(device, received):
            return False
        era = self._eras.followed(device, identity, prev)
        if era is None:
            return False
        place = identity[1:]
        line = extend(era.line, decoded.old, ChainLink(place, admitted.link), prev)
        if line is None:
            return False
        body = b"%b\n%b" % (arrival.topic.encode("ascii"), arrival.payload)
        entry = self._log.append("msg", received, device, body, None, _FOLLOWS[decoded.auth])
        self._filing.wait((entry, device, *identity, admitted.digest, prev, False))
        self._counters.add("stored")
        self._flood.spend(device, received)
        self._eras.spoke(era, place, line)
        return True

    def _look_up(self) -> None:
        """Ask for all that came and does not simply go on its device's line, once."""
        coming, self._coming = self._coming, ()
        ends: dict[str, tuple[str, Identity, str]] = {}
        asked: list[tuple[Key, str, str]] = []
        for one in coming:
            device, identity, prev = one.device.id, one.decoded.identity, one.decoded.prev
            if identity is None or prev is None:
                continue
            place = identity[1:]
            known = ends.get(device) or self._eras.standing(device)
            if known and prev == known[2] and identity[0] == known[0] and place > known[1]:
                ends[device] = (identity[0], place, one.link)
                continue
            ends[device] = ("", NOWHERE, "")  # what follows is looked up too
            asked.append(((device, *identity), one.link, prev))
        self._filing.ask(asked)

    def _judge(
        self,
        arrival: Arrival,
        admitted: Admitted,
        lines: Mapping[str, str] | None,
        alone: bool,
    ) -> Era | None:
        device, decoded = admitted.device.id, admitted.decoded
        fork = not alone and self._is_fork(device, decoded.identity, decoded.prev)
        era = self._eras.begun(device, decoded.identity[0]) if decoded.identity else None
        judged = _judged(admitted, era, fork)
        self._flood.spend(device, arrival.received)
        self._mark(device, judged, era, arrival.received)
        entry = self._append(arrival, device, judged, lines)
        self._counters.add(judged.verdict)
        self._file(entry, admitted, fork, alone)
        self._note_key(device, admitted)
        if era is None or decoded.identity is None:
            last = self._eras.last_of(device)
            return last and self._eras.spoke(last._replace(loose=last.loose + 1))
        place = decoded.identity[1:]
        if fork:
            moved, gap = era._replace(loose=era.loose + 1), False
        else:
            moved, gap = self._moved(era, admitted, alone)
        if gap:
            self._counters.mark("gap", device, arrival.received)
        newest = place if judged.newest else era.newest
        return self._eras.spoke(moved._replace(first=era.first or entry, newest=newest))

    def _is_alone(self, admitted: Admitted) -> bool:
        decoded = admitted.decoded
        if decoded.identity is None or decoded.prev is None:
            return False
        key = (admitted.device.id, *decoded.identity)
        return self._filing.is_alone(key, admitted.link, decoded.prev)

    def _known(self, admitted: Admitted) -> tuple[str | None] | None:
        """The era (None where it could not be read) of the same OBJECT, when it is journaled."""
        identity = admitted.decoded.identity
        if identity is None or identity[0] == FEED_ERA:
            return self._disk.execute(
                "SELECT era FROM message INDEXED BY message_object WHERE device = ? AND hash = ?"
                " AND (boot IS NULL OR era = 'unsigned')",
                (admitted.device.id, admitted.digest),
            ).fetchone()
        return self._disk.execute(
            "SELECT era FROM message INDEXED BY message_identity"
            " WHERE device = ? AND era = ? AND boot = ? AND seq = ? AND hash = ?",
            (admitted.device.id, *identity, admitted.digest),
        ).fetchone()

    def _file(self, entry: int, admitted: Admitted, fork: bool, alone: bool) -> None:
        device, decoded = admitted.device.id, admitted.decoded
        identity, prev = decoded.identity, decoded.prev
        if alone and identity is not None and prev is not None:
            self._filing.wait((entry, device, *identity, admitted.digest, prev, fork))
        else:
            row = (entry, device, *(identity or (None,) * 3), admitted.digest, prev, fork)
            self._filing.put(row, (device, *identity) if identity else None, device, prev)

    def _moved(self, era: Era, admitted: Admitted, alone: bool) -> tuple[Era, bool]:
        """The era with its line moved on, and whether that passed over what never came."""
        decoded = admitted.decoded
        assert decoded.identity is not None
        place = decoded.identity[1:]
        if alone and decoded.prev is not None:
            line = extend(era.line, decoded.old, ChainLink(place, admitted.link), decoded.prev)
            if line is not None:
                is_next = decoded.prev == era.line.end.h
                gap = era.line.begun and line.end.place == place and not is_next
                return self._eras.stepped(era, line, place, decoded.prev), gap
        self._filing.file()
        return self._eras.advanced(era, decoded.old, place)

    def is_recent(self, device: str, body: bytes) -> bool:
        """Whether one of the device's last messages had exactly this body (topic LF payload)."""
        self._filing.file()
        self._log.flush()
        return body in recent_bodies.bodies(self._disk, device)

    def _spoken(self, device: str, era: str | None) -> Era | None:
        found = self._eras.get(device, era) if era else self._eras.last_of(device)
        return None if found is None else self._eras.spoke(found)

    def _mark(self, device: str, judged: MessageVerdict, era: Era | None, received: float) -> None:
        """What a coordinator should know of a device: forks, flags, counters that began anew."""
        if judged.verdict in ("fork", "flagged"):
            self._counters.mark(judged.verdict, device, received)
        elif era is not None and not era.first and self._eras.last_of(device) is not None:
            self._counters.mark("era", device, received)

    def _append(
        self, arrival: Arrival, device: str, judged: MessageVerdict, lines: Mapping[str, str] | None
    ) -> int:
        flag = {"flag": judged.flag} if judged.flag else {}
        return self._log.append(
            "fork" if judged.verdict == "fork" else "msg",
            arrival.received,
            device,
            arrival.topic.encode("ascii") + b"\n" + arrival.payload,
            {**(lines or {}), **flag} or None,
            judged,
        )

    def _is_fork(
        self, device: str, identity: tuple[str, int, int] | None, prev: str | None
    ) -> bool:
        """Same identity with another OBJECT, or a second message with one non-empty ``prev``."""
        twin = prior = None
        if identity:
            twin = self._disk.execute(
                "SELECT 1 FROM message INDEXED BY message_identity"
                " WHERE device = ? AND era = ? AND boot = ? AND seq = ?",
                (device, *identity),
            ).fetchone()
        if prev:
            prior = self._disk.execute(
                "SELECT 1 FROM message INDEXED BY message_prev WHERE device = ? AND prev = ?",
                (device, prev),
            ).fetchone()
        return twin is not None or prior is not None

    def _note_key(self, device: str, admitted: Admitted) -> None:
        """A malformed message raises no key generation: that would shut older ones out."""
        decoded = admitted.decoded
        generation = decoded.key_generation or 1
        if decoded.sealed is not None and generation > self._keys.get(device, 0):
            self._keys[device] = self._newer_keys[device] = generation


def _judged(admitted: Admitted, era: Era | None, fork: bool) -> MessageVerdict:
    decoded = admitted.decoded
    place: Identity | None = decoded.identity[1:] if decoded.identity else None
    verdict: EntryVerdict
    if fork:
        verdict = "fork"
    elif decoded.flag or era is None or place is None:
        verdict = "flagged"
    else:
        verdict = "stored" if place > era.newest else "late"
    return MessageVerdict(verdict, decoded.flag, decoded.auth, newest=verdict == "stored")

"""The watch as a projection: entries in, and state, incidents and messages out, together.

One transaction holds the cursor, the tanks as pages show them, the incidents with their history
and leaves, and a message for each channel: a crash repeats nothing and loses nothing. The state is
in it too, or follows from the entries between where it stands and the cursor. Delivery is the
outbox's work and never holds this up.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from time import monotonic
from typing import Any

import sqlalchemy as sa

from gateway.database.engine import serialise
from gateway.database.transaction import write_transaction
from gateway.domain.entry import Entry
from gateway.domain.inputs import ListeningChange, RegistryChanged, WatchInput
from gateway.domain.interpret import Interpreter
from gateway.domain.outputs import IncidentChange, TankEvent, TankNow, WatchOutput
from gateway.domain.registry import Registry
from gateway.domain.watch import Watch
from gateway.errors import JournalError
from gateway.projections import cursor
from gateway.projections.watch import checkpoint
from gateway.projections.watch.checkpoint import Checkpoint, CheckpointSource, entries_since
from gateway.projections.watch.inputs import input_of
from gateway.projections.watch.rows import OutputContext, write_output
from gateway.registry import rows
from gateway.runtime.wakeup import Wakeup

NAME = "watch"
_BOOTS, _STATE = "boots ", "state "
_TURN_S = 0.01  # of stepping, after which an alert is saved without the rest of its batch
_RUSH, _RUSH_S = 200, 3.0
"""So many entries at a time come of a rush: what alerts nobody is gathered so long (real s)."""


class WatchProjection:
    """Implements ``gateway.projections.runner.Projection``.

    ``channels`` are the names under which messages wait; ``outbox`` rings when there are new
    ones. Timers fire only once this process listens: after a ``run`` entry *start* at or past
    ``born`` (Unix s, when the process began), so that downtime is never taken for silence; and
    ``settle_s`` late (one real second, as the clock counts), since what was received just before
    may still be on its way to the journal. ``listening``: they fire from the beginning, as others
    listened meanwhile. What alerts nobody may wait ``gather_s`` (real s) for what follows it, so
    that a transaction is not paid for each few entries; until then the cursor stays behind too.
    With ``open_journal`` the state is saved now and then only (``watching.standing``).
    """

    def __init__(
        self,
        engine: sa.Engine,
        *,
        channels: Sequence[str],
        outbox: Wakeup,
        born: float,
        settle_s: float = 1.0,
        listening: bool = False,
        gather_s: float = 0.0,
        open_journal: Callable[[], CheckpointSource] | None = None,
    ) -> None:
        self._engine = engine
        self._channels = tuple(channels)
        self._outbox = outbox
        self._born = born - 1.0  # entries carry milliseconds
        self._settle_s = settle_s
        self._listening = listening
        self._gather_s = gather_s
        self._open_journal = open_journal
        self._saved_at = float("-inf")
        self._registry_version = -1
        self.restore()

    @property
    def name(self) -> str:
        """Its cursor's key."""
        return NAME

    def restore(self) -> None:
        """Take up the state of the last commit."""
        with self._engine.connect() as connection:
            saved: dict[str, Any] = dict(cursor.load_state(connection, NAME))
            self._at = cursor.load(connection, NAME)
            self._standing = Checkpoint.of(saved, self._at, rows.version_of(connection))
            registry = rows.load_from(connection, self._standing.version)
            self._registry_version = self._standing.version
            self._book = self._book_of(registry)
            self._interpreter = Interpreter(registry, _under(_BOOTS, saved))
            self._watch = Watch(registry, _under(_STATE, saved), _as_it_is)
            self._forget()
            if self._standing.entry < self._at:
                self._hear_again(connection)
        self._load_registry()

    def _forget(self) -> None:
        """Nothing waits to be saved."""
        self._told: list[TankEvent | IncidentChange] = []
        self._changed: set[str] = set()
        self._waits = self._is_urgent = self._is_rush = False

    def _hear_again(self, connection: sa.Connection) -> None:
        """Bring the state to the cursor; what came of these entries was saved."""
        after = self._standing.entry
        if self._open_journal is None:
            raise JournalError(f"the watch's state stands at entry {after}: it needs the journal")
        with closing(self._open_journal()) as journal:
            for entry in entries_since(connection, journal, NAME, after, self._at):
                said = input_of(entry, self._interpreter)
                # The registry in use held for all of them: see ``Checkpoint``.
                if not isinstance(said, RegistryChanged) and self._mind(said):
                    self._watch.step(said, said.received)

    def apply(self, entries: list[Entry]) -> None:
        """Hear these entries; save what came of it, and the cursor, together.

        An alert is saved at once, in a long batch without the rest of it, and so is a single entry;
        anything else may wait (``gather_s``) for the next call.
        """
        self._gather(self._follow_registry(entries[0].received))
        part_ends = monotonic() + _TURN_S
        for entry in entries[:-1]:
            self._hear(entry)
            if self._is_urgent and monotonic() >= part_ends:
                self._save()
                part_ends = monotonic() + _TURN_S
        self._hear(entries[-1])
        self._is_rush = len(entries) >= _RUSH
        longest_s = _RUSH_S if self._gather_s and self._is_rush else self._gather_s
        if self._is_urgent or len(entries) == 1 or monotonic() >= self._saved_at + longest_s:
            self._save()

    def idle(self, now: float) -> float | None:
        """Fire the timers that are due by ``now`` (Unix s) and save what waits for that.

        Returns when the next is due.
        """
        self._is_rush = False
        due = self._watch.due() if self._listening else None
        if due is not None and due <= now - self._settle_s:
            self._gather(self._watch.fire(now - self._settle_s))
            self._standing.is_stale = True
            self._save()
            due = self._watch.due()
        waits_s = self._waits_s()
        if waits_s is not None and waits_s <= 0:
            self._save()
            waits_s = self._waits_s()
        after = None if due is None else due + self._settle_s
        if waits_s is None:
            return after
        look = now + waits_s * self._settle_s
        return look if after is None else min(look, after)

    def _waits_s(self) -> float | None:
        """How long until something must be saved (real s); None when all is."""
        if self._waits:
            return self._saved_at + self._gather_s - monotonic()
        return self._standing.left_s() if self._standing.entry < self._at else None

    def _gather(self, answers: list[WatchOutput]) -> None:
        """Keep what is to be written; levels and forecasts stand in the tanks' state."""
        for told in answers:
            if isinstance(told, IncidentChange):
                self._told.append(told)
                self._is_urgent |= told.alert
            elif isinstance(told, TankEvent):
                self._told.append(told)

    def _hear(self, entry: Entry) -> None:
        said = input_of(entry, self._interpreter)
        if self._mind(said):
            self._gather(self._watch.step(said, said.received))
        self._at, self._waits = entry.id, True

    def _mind(self, said: WatchInput) -> bool:
        """Note what concerns ourselves; returns whether the watch should hear it.

        An import of a thousand devices is thousands of leaves, but one new registry.
        """
        if isinstance(said, ListeningChange):
            if said.change == "start" and said.received >= self._born:
                self._listening = True
            if said.change == "stop":
                self._listening = False
        elif isinstance(said, RegistryChanged):
            return self._load_registry()
        return True

    def _follow_registry(self, received: float) -> list[WatchOutput]:
        """A message may be journaled before the leaf that says its device is new."""
        if not self._load_registry():
            return []
        return self._watch.step(RegistryChanged(received), received)

    def _load_registry(self) -> bool:
        """Take the newest registry; False when that is the one in use."""
        version = rows.version(self._engine)
        if version == self._registry_version:
            return False
        self._registry_version = version
        self._standing.is_stale = True
        with self._engine.connect() as connection:
            registry = rows.load_from(connection, version)
        self._book = self._book_of(registry)
        self._interpreter.registry = registry
        self._watch.registry = registry
        return True

    def _book_of(self, registry: Registry) -> OutputContext:
        return OutputContext(self._channels, {t: r[-1].rid for t, r in registry.tanks.items()})

    def _save(self) -> None:
        """Write what came of all that was heard, and the cursor; the state when it is due.

        While the state waits, so may the pages of tanks that an alert is not about.
        """
        self._changed |= self._watch.touched()
        whole = self._is_whole()
        state = self._state() if whole else {}
        shown = self._changed if whole or not self._is_urgent else self._alerted()
        with write_transaction(self._engine) as connection:
            serialise(connection)
            cursor.save(connection, NAME, self._at)
            cursor.save_state(connection, NAME, state)
            waiting = write_output(connection, self._told, self._tanks(shown), self._book)
        if whole:
            self._standing.saved(self._at, self._registry_version)
        self._changed -= shown
        self._waits = bool(self._changed)
        if not self._waits:
            self._saved_at = monotonic()
        self._told, self._is_urgent = [], False
        if waiting:
            self._outbox.notify()

    def _is_whole(self) -> bool:
        """Whether this save holds the state."""
        tanks = len(self._watch.registry.tanks)
        return self._open_journal is None or self._standing.is_due(
            self._at, tanks, rush=self._is_rush
        )

    def _alerted(self) -> set[str]:
        return {f"tank:{told.tank}" for told in self._told}

    def _state(self) -> dict[str, Any]:
        """All state that changed since it was saved last, and where it stands."""
        state = {_STATE + key: value for key, value in self._watch.dirty().items()}
        for device in self._interpreter.dirty():
            state[_BOOTS + device] = self._interpreter.state(device)
        return {**state, checkpoint.KEY: [self._at, self._registry_version]}

    def _tanks(self, changed: set[str]) -> Iterator[TankNow]:
        """The tanks whose page may differ now."""
        registry = self._watch.registry
        names: set[str] = set()
        for key in changed:
            kind, _, name = key.partition(":")
            if kind in ("tank", "profile"):
                names.add(name)
            elif kind == "device" and (row := registry.device(name)) is not None:
                names.add(row.tank)
        return (self._watch.now(name) for name in sorted(names) if registry.tank(name))


def _as_it_is(record: Any) -> Any:
    """Nothing is heard before it is saved, and JSON is made of it there, in C."""
    return record


def _under(prefix: str, saved: dict[str, Any]) -> dict[str, Any]:
    return {key[len(prefix) :]: v for key, v in saved.items() if key.startswith(prefix)}

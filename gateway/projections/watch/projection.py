"""The watch as a projection: applies entries; writes state, incidents and messages together.

One transaction holds the cursor, the tanks for the pages, the incidents with their history and
leaves, and a message for each channel: a crash repeats nothing and loses nothing. The state is in
it too, or follows from the entries between its checkpoint and the cursor. The outbox delivers the
messages, so delivery never delays the watch.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from time import monotonic

import sqlalchemy as sa

from gateway.database.engine import serialise
from gateway.database.transaction import write_transaction
from gateway.domain.entry import Entry
from gateway.domain.inputs import ListeningChange, RegistryChanged, WatchInput
from gateway.domain.interpret import Interpreter
from gateway.domain.outputs import IncidentChange, TankEvent, WatchOutput
from gateway.domain.registry import Registry
from gateway.domain.watch import Watch
from gateway.domain.watch.memory.json_codec import JSON
from gateway.domain.watch.memory.state import RecordKey
from gateway.errors import JournalError
from gateway.projections import cursor
from gateway.projections.runner import JournalSource
from gateway.projections.watch import checkpoint
from gateway.projections.watch.checkpoint import Checkpoint, entries_since
from gateway.projections.watch.inputs import input_of
from gateway.projections.watch.rows import OutputContext, write_output
from gateway.registry import rows
from gateway.runtime.wakeup import Wakeup

NAME = "watch"
_BOOTS, _STATE = "boots ", "state "
_LONGEST_PART_S = 0.01  # of a batch with an alert, before it is saved without the rest
_RUSH, _RUSH_S = 200, 3.0
"""A batch of so many entries is a rush; outputs without an alert then wait so long (real s)."""


class WatchProjection:
    """Implements ``gateway.projections.runner.Projection``.

    ``channels`` are the names under which messages wait; ``outbox`` is notified of new ones.
    Timers fire only once this process receives: after a ``run`` entry *start* at or past ``born``
    (Unix s, when the process began), so that downtime does not count as silence; and ``settle_s``
    late (one real second, as the clock counts), since a message received just before may not be
    in the journal yet. ``listening``: they fire from the beginning, because other gateways
    received in between. Outputs without an alert wait up to ``gather_s`` (real s) for more, so
    that fewer transactions are needed; the cursor waits with them. With ``open_journal`` the
    state is saved only now and then (see ``checkpoint``).
    """

    def __init__(
        self, engine: sa.Engine, *, channels: Sequence[str], outbox: Wakeup, born: float,
        settle_s: float = 1.0, listening: bool = False, gather_s: float = 0.0,
        open_journal: Callable[[], JournalSource] | None = None,
    ) -> None:  # fmt: skip
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
        """Load the state of the last commit and replay the entries from there to the cursor."""
        with self._engine.connect() as connection:
            saved = cursor.load_state(connection, NAME)
            self._cursor = cursor.load(connection, NAME)
            self._checkpoint = Checkpoint.of(saved, self._cursor, rows.version_of(connection))
            registry = rows.load_from(connection, self._checkpoint.version)
            self._registry_version = self._checkpoint.version
            self._context = self._context_of(registry)
            self._interpreter = Interpreter(registry, _under(_BOOTS, saved))
            self._watch = Watch(registry, _under(_STATE, saved))
            self._clear()
            if self._checkpoint.entry < self._cursor:
                self._replay_to_cursor(connection)
        self._load_registry()

    def _clear(self) -> None:
        self._pending: list[TankEvent | IncidentChange] = []
        self._changed: set[RecordKey] = set()
        self._waits = self._is_urgent = False

    def _replay_to_cursor(self, connection: sa.Connection) -> None:
        """Apply the entries up to the cursor without their outputs, which were saved before."""
        after = self._checkpoint.entry
        if self._open_journal is None:
            raise JournalError(f"the watch's saved state is of entry {after}: it needs the journal")
        with closing(self._open_journal()) as journal:
            for entry in entries_since(connection, journal, NAME, after, self._cursor):
                event = input_of(entry, self._interpreter)
                # The registry was the same for all of them: a new one makes the checkpoint stale.
                if not isinstance(event, RegistryChanged) and self._should_step(event):
                    self._watch.step(event, event.received)

    def apply(self, entries: list[Entry]) -> None:
        """Apply these entries; save their outputs and the cursor together.

        An alert is saved at once, in a long batch before the rest of it, and so is a single entry;
        other outputs may wait (``gather_s``) for the next call.
        """
        self._collect(self._follow_registry(entries[0].received))
        part_ends = monotonic() + _LONGEST_PART_S
        for entry in entries[:-1]:
            self._apply_entry(entry)
            if self._is_urgent and monotonic() >= part_ends:
                self._save()
                part_ends = monotonic() + _LONGEST_PART_S
        self._apply_entry(entries[-1])
        is_rush = len(entries) >= _RUSH
        longest_s = _RUSH_S if self._gather_s and is_rush else self._gather_s
        if self._is_urgent or len(entries) == 1 or monotonic() >= self._saved_at + longest_s:
            self._save()

    def idle(self, now: float) -> float | None:
        """Fire the timers that are due by ``now`` (Unix s); save what has waited long enough.

        Returns when to call again (Unix s), or None.
        """
        due = self._watch.due() if self._listening else None
        if due is not None and due <= now - self._settle_s:
            self._collect(self._watch.fire(now - self._settle_s))
            self._checkpoint.is_stale = True
            self._save()
            due = self._watch.due()
        save_in_s = self._save_in_s()
        if save_in_s is not None and save_in_s <= 0:
            self._save()
            save_in_s = self._save_in_s()
        after = None if due is None else due + self._settle_s
        if save_in_s is None:
            return after
        look = now + save_in_s * self._settle_s
        return look if after is None else min(look, after)

    def _save_in_s(self) -> float | None:
        """How long until the next save is due (real s); None when all is saved."""
        if self._waits:
            return self._saved_at + self._gather_s - monotonic()
        return self._checkpoint.left_s() if self._checkpoint.entry < self._cursor else None

    def _collect(self, outputs: list[WatchOutput]) -> None:
        """Add the outputs to be written; levels and forecasts are part of the tanks' state."""
        for output in outputs:
            if isinstance(output, IncidentChange):
                self._pending.append(output)
                self._is_urgent |= output.alert
            elif isinstance(output, TankEvent):
                self._pending.append(output)

    def _apply_entry(self, entry: Entry) -> None:
        event = input_of(entry, self._interpreter)
        if self._should_step(event):
            self._collect(self._watch.step(event, event.received))
        self._cursor, self._waits = entry.id, True

    def _should_step(self, event: WatchInput) -> bool:
        """Note a change of this gateway or registry; returns whether the watch needs the event.

        An import of a thousand devices makes thousands of entries, but one new registry.
        """
        if isinstance(event, ListeningChange):
            if event.change == "start" and event.received >= self._born:
                self._listening = True
            if event.change == "stop":
                self._listening = False
        elif isinstance(event, RegistryChanged):
            return self._load_registry()
        return True

    def _follow_registry(self, received: float) -> list[WatchOutput]:
        """Load a new registry early: a message may precede the entry of its new device."""
        if not self._load_registry():
            return []
        return self._watch.step(RegistryChanged(received), received)

    def _load_registry(self) -> bool:
        """Load the newest registry; False when it is the one in use."""
        version = rows.version(self._engine)
        if version == self._registry_version:
            return False
        self._registry_version = version
        self._checkpoint.is_stale = True
        with self._engine.connect() as connection:
            registry = rows.load_from(connection, version)
        self._context = self._context_of(registry)
        self._interpreter.registry = registry
        self._watch.set_registry(registry)
        return True

    def _context_of(self, registry: Registry) -> OutputContext:
        return OutputContext(self._channels, {t: r[-1].rid for t, r in registry.tanks.items()})

    def _save(self) -> None:
        """Write pending outputs and the cursor; the state when it is due.

        An urgent save without the state writes only the pages of the tanks that it concerns.
        """
        self._changed |= self._watch.touched()
        with_state = self._open_journal is None or self._checkpoint.is_due(self._cursor)
        state = self._state() if with_state else {}
        shown = self._changed if with_state or not self._is_urgent else self._pending_tanks()
        with write_transaction(self._engine) as connection:
            serialise(connection)
            cursor.save(connection, NAME, self._cursor)
            cursor.save_state(connection, NAME, state)
            waiting = write_output(connection, self._pending, self._tanks(shown), self._context)
        if with_state:
            self._checkpoint.record(self._cursor, self._registry_version)
        self._changed -= shown
        self._waits = bool(self._changed)
        if not self._waits:
            self._saved_at = monotonic()
        self._pending, self._is_urgent = [], False
        if waiting:
            self._outbox.notify()

    def _pending_tanks(self) -> set[RecordKey]:
        return {("tank", output.tank) for output in self._pending if output.tank is not None}

    def _state(self) -> dict[str, object]:
        """All state that changed since the last save, and its checkpoint."""
        state: dict[str, object] = {_STATE + k: v for k, v in self._watch.dirty().items()}
        for device in self._interpreter.dirty():
            state[_BOOTS + device] = self._interpreter.state(device)
        return {**state, checkpoint.KEY: [self._cursor, self._registry_version]}

    def _tanks(self, changed: set[RecordKey]) -> Iterator[dict[str, object]]:
        """The tanks whose pages may have changed."""
        registry = self._interpreter.registry
        names: set[str] = set()
        for kind, name in changed:
            if kind in ("tank", "profile"):
                names.add(name)
            elif kind == "device" and (row := registry.device(name)) is not None:
                names.add(row.tank)
        return (self._watch.shown(name) for name in sorted(names) if registry.tank(name))


def _under(prefix: str, saved: dict[str, JSON]) -> dict[str, JSON]:
    return {key[len(prefix) :]: v for key, v in saved.items() if key.startswith(prefix)}

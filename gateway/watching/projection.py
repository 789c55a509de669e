"""The watch as a projection: entries in, and state, incidents and messages out, together.

One transaction holds the cursor, the changed state, the tanks as pages show them, the incidents
with their history and leaves, and a message for each channel: a crash repeats nothing and loses
nothing. Delivery is the outbox's work and never holds this up.
"""

from collections.abc import Sequence
from time import monotonic
from typing import Any

import msgspec
import sqlalchemy as sa

from gateway.database import serialise
from gateway.domain.heard import Listening, RegistryChanged, WatchInput
from gateway.domain.interpret import Interpreter
from gateway.domain.told import IncidentChange, TankEvent, TankNow, Told
from gateway.domain.watch import Watch
from gateway.journal.entry import Entry
from gateway.projections import cursor
from gateway.projections.wake import Wake
from gateway.registry import rows
from gateway.transaction import writing
from gateway.watching import record
from gateway.watching.inputs import input_of

NAME = "watch"
_BOOTS, _STATE = "boots ", "state "
_TURN_S = 0.01  # of stepping, after which an alert is saved without the rest of its batch
_RUSH, _RUSH_S = 200, 5.0
"""So many entries at a time come of a rush: what alerts nobody is gathered so long (real s), since
the same tank then speaks again and its state is saved once."""


class WatchProjection:
    """Implements ``gateway.projections.runner.Projection``.

    ``channels`` are the names under which messages wait; ``outbox`` rings when there are new
    ones. Timers fire only once this process listens: after a ``run`` entry *start* at or past
    ``born`` (Unix s, when the process began), so that downtime is never taken for silence; and
    ``settle_s`` late (one real second, as the clock counts), since what was received just before
    may still be on its way to the journal. ``listening``: they fire from the beginning, as others
    listened meanwhile. What alerts nobody may wait ``gather_s`` (real s) for what follows it, so
    that a transaction is not paid for each few entries; until then the cursor stays behind too.
    """

    def __init__(
        self,
        engine: sa.Engine,
        *,
        channels: Sequence[str],
        outbox: Wake,
        born: float,
        settle_s: float = 1.0,
        listening: bool = False,
        gather_s: float = 0.0,
    ) -> None:
        self._engine = engine
        self._channels = tuple(channels)
        self._outbox = outbox
        self._born = born - 1.0  # entries carry milliseconds
        self._settle_s = settle_s
        self._listening = listening
        self._gather_s = gather_s
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
        self._registry_version = rows.version(self._engine)
        registry = rows.load(self._engine)
        self._book = record.Book(self._channels, {t: r[-1].rid for t, r in registry.tanks.items()})
        self._interpreter = Interpreter(registry, _under(_BOOTS, saved))
        self._watch = Watch(registry, _under(_STATE, saved), _packed)
        self._told: list[TankEvent | IncidentChange] = []
        self._heard: int | None = None
        self._is_urgent = False

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
        longest_s = _RUSH_S if self._gather_s and len(entries) >= _RUSH else self._gather_s
        if self._is_urgent or len(entries) == 1 or monotonic() >= self._saved_at + longest_s:
            self._save()

    def idle(self, now: float) -> float | None:
        """Fire the timers that are due by ``now`` (Unix s) and save what waits for that.

        Returns when the next is due.
        """
        due = self._watch.due() if self._listening else None
        if due is not None and due <= now - self._settle_s:
            self._gather(self._watch.fire(now - self._settle_s))
            self._save()
            due = self._watch.due()
        after = [] if due is None else [due + self._settle_s]
        if self._heard is not None:
            left_s = self._saved_at + self._gather_s - monotonic()
            if left_s > 0:
                after.append(now + left_s * self._settle_s)
            else:
                self._save()
        return min(after, default=None)

    def _gather(self, answers: list[Told]) -> None:
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
        self._heard = entry.id

    def _mind(self, said: WatchInput) -> bool:
        """Note what concerns ourselves; returns whether the watch should hear it.

        An import of a thousand devices is thousands of leaves, but one new registry.
        """
        if isinstance(said, Listening):
            if said.change == "start" and said.received >= self._born:
                self._listening = True
            if said.change == "stop":
                self._listening = False
        elif isinstance(said, RegistryChanged):
            return self._load_registry()
        return True

    def _follow_registry(self, received: float) -> list[Told]:
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
        registry = rows.load(self._engine)
        self._book = record.Book(self._channels, {t: r[-1].rid for t, r in registry.tanks.items()})
        self._interpreter.registry = registry
        self._watch.registry = registry
        return True

    def _save(self) -> None:
        changed = self._watch.dirty()
        tanks = self._tanks(changed)
        state: dict[str, Any] = {_STATE + key: value for key, value in changed.items()}
        for device in self._interpreter.dirty():
            state[_BOOTS + device] = self._interpreter.state(device)
        with writing(self._engine) as connection:
            serialise(connection)
            if self._heard is not None:
                cursor.save(connection, NAME, self._heard)
            cursor.save_state(connection, NAME, state)
            waiting = record.write(connection, self._told, tanks, self._book)
        self._told, self._heard, self._is_urgent = [], None, False
        self._saved_at = monotonic()
        if waiting:
            self._outbox.notify()

    def _tanks(self, changed: dict[str, Any]) -> list[TankNow]:
        """The tanks whose page may differ now."""
        registry = self._watch.registry
        names: set[str] = set()
        for key in changed:
            kind, _, name = key.partition(":")
            if kind in ("tank", "profile"):
                names.add(name)
            elif kind == "device" and (row := registry.device(name)) is not None:
                names.add(row.tank)
        return [self._watch.now(name) for name in sorted(names) if registry.tank(name)]


def _packed(record: Any) -> msgspec.Raw:
    """As ``domain.watch.record.pack`` and JSON after it, in one go and in C."""
    return msgspec.Raw(msgspec.json.encode(record))


def _under(prefix: str, saved: dict[str, Any]) -> dict[str, Any]:
    return {key[len(prefix) :]: v for key, v in saved.items() if key.startswith(prefix)}

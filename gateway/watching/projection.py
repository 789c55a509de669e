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
from gateway.domain.told import IncidentChange, Level, TankNow, Told
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


class WatchProjection:
    """Implements ``gateway.projections.runner.Projection``.

    ``channels`` are the names under which messages wait; ``outbox`` rings when there are new
    ones. Timers fire only once this process listens: after a ``run`` entry *start* at or past
    ``born`` (Unix s, when the process began), so that downtime is never taken for silence; and
    ``settle_s`` late, since what was received just before may still be on its way to the journal.
    ``listening``: they fire from the beginning, as others listened meanwhile.
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
    ) -> None:
        self._engine = engine
        self._channels = tuple(channels)
        self._outbox = outbox
        self._born = born - 1.0  # entries carry milliseconds
        self._settle_s = settle_s
        self._listening = listening
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

    def apply(self, entries: list[Entry]) -> None:
        """Hear these entries; save what came of it, and the cursor, together.

        A long batch is saved in two transactions or more: an alert does not wait for the rest.
        """
        told = self._follow_registry(entries[0].received)
        urgent, part_ends = False, monotonic() + _TURN_S
        for entry in entries[:-1]:
            answers = self._hear(entry)
            told += answers
            urgent = urgent or _alerts(answers)
            if urgent and monotonic() >= part_ends:
                self._save(told, entry.id)
                told, urgent, part_ends = [], False, monotonic() + _TURN_S
        told += self._hear(entries[-1])
        self._save(told, entries[-1].id)

    def idle(self, now: float) -> float | None:
        """Fire the timers that are due by ``now`` (Unix s); returns when the next is due."""
        due = self._watch.due()
        if not self._listening or due is None:
            return None
        if due <= now - self._settle_s:
            self._save(self._watch.fire(now - self._settle_s), None)
            due = self._watch.due()
        return None if due is None else due + self._settle_s

    def _hear(self, entry: Entry) -> list[Told]:
        said = input_of(entry, self._interpreter)
        return self._watch.step(said, said.received) if self._mind(said) else []

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

    def _save(self, told: list[Told], entry_id: int | None) -> None:
        changed = self._watch.dirty()
        tanks = self._tanks(changed, told)
        state: dict[str, Any] = {_STATE + key: value for key, value in changed.items()}
        for device in self._interpreter.dirty():
            state[_BOOTS + device] = self._interpreter.state(device)
        with writing(self._engine) as connection:
            serialise(connection)
            if entry_id is not None:
                cursor.save(connection, NAME, entry_id)
            cursor.save_state(connection, NAME, state)
            waiting = record.write(connection, told, tanks, self._book)
        if waiting:
            self._outbox.notify()

    def _tanks(self, changed: dict[str, Any], told: list[Told]) -> list[TankNow]:
        """The tanks whose page may differ now."""
        registry = self._watch.registry
        names = {t.tank for t in told if isinstance(t, Level)}
        for key in changed:
            kind, _, name = key.partition(":")
            if kind in ("tank", "profile"):
                names.add(name)
            elif kind == "device" and (row := registry.device(name)) is not None:
                names.add(row.tank)
        return [self._watch.now(name) for name in sorted(names) if registry.tank(name)]


def _alerts(told: list[Told]) -> bool:
    return any(isinstance(t, IncidentChange) and t.alert for t in told)


def _packed(record: Any) -> msgspec.Raw:
    """As ``domain.watch.record.pack`` and JSON after it, in one go and in C."""
    return msgspec.Raw(msgspec.json.encode(record))


def _under(prefix: str, saved: dict[str, Any]) -> dict[str, Any]:
    return {key[len(prefix) :]: v for key, v in saved.items() if key.startswith(prefix)}

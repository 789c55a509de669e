"""What the rules share during one step: registry, records, timers and outputs.

It holds no rules. Records marked by ``touch`` are the ones that ``dirty`` returns.
"""

import heapq
from collections.abc import Callable, Mapping
from math import inf
from typing import NamedTuple

from gateway.domain.outputs import WatchOutput
from gateway.domain.registry import Registry, Tank, in_force
from gateway.domain.watch.fitted import FITTED
from gateway.domain.watch.memory import json_codec
from gateway.domain.watch.memory.json_codec import JSON, SavedRecord, to_saved
from gateway.domain.watch.memory.state import (
    DeviceState,
    Incident,
    ListeningState,
    ProfileState,
    Record,
    RecordKey,
    TankState,
    TimedRecord,
    UplinkState,
    key_of,
)
from gateway.domain.watch.tracks.cause import Review
from gateway.domain.watch.tracks.profile import Usual
from gateway.domain.watch.tracks.weights import Weights


class Timer(NamedTuple):
    """When a timer fires (Unix s), the key of its record, and its name there."""

    at: float
    record: RecordKey
    name: str


class WatchContext:
    """Records by the name of their subject, an index of the registry, timers, and outputs.

    ``observe`` is called with each review of an episode, by the command that fits the weights.
    """

    def __init__(
        self, registry: Registry, state: Mapping[str, JSON] | None, weights: Weights = FITTED,
        observe: Callable[[Review], None] | None = None,
    ) -> None:  # fmt: skip
        self.weights = weights
        self.observe = observe
        self.outputs: list[WatchOutput] = []
        self.devices: dict[str, DeviceState] = {}
        self.incidents: dict[str, Incident] = {}
        self.listening = ListeningState()
        self.profiles: dict[str, ProfileState] = {}
        self.tanks: dict[str, TankState] = {}
        self.uplinks: dict[str, UplinkState] = {}
        self.usual: dict[str, Usual] = {}  # of each profile, as its last hour left it
        self._open: dict[tuple[str, str], Incident] = {}
        self._touched: dict[int, Record] = {}  # by id(), since the last call of ``touched``
        self._dirty: set[RecordKey] = set()  # since the last call of ``dirty``
        self._heap: list[Timer] = []
        for key, saved in (state or {}).items():
            self._restore(json_codec.from_saved(key, saved))
        self.now = self.listening.last_input_at
        self.set_registry(registry)

    def set_registry(self, registry: Registry) -> None:
        """Use these rows from now on."""
        self.registry = registry
        self._on_uplink: dict[str, list[str]] = {}
        self._records_on: dict[str, list[DeviceState]] = {}  # by uplink, as far as asked for
        self._keyed: set[str] = set()
        self._unsigned: set[str] = set()
        self._of_site: dict[str, list[str]] = {}
        self.site_l: dict[str, float] = {}  # what all tanks of a site hold together
        self._only_row = {tank: rows[0] for tank, rows in registry.tanks.items() if len(rows) == 1}
        for tank, tank_rows in registry.tanks.items():
            newest = tank_rows[-1]
            self._of_site.setdefault(newest.site, []).append(tank)
            self.site_l[newest.site] = self.site_l.get(newest.site, 0) + newest.capacity_l
        for device, rows in registry.devices.items():
            row = rows[-1]
            if row.revoked:
                continue
            if row.uplink:
                self._on_uplink.setdefault(row.uplink, []).append(device)
            if row.unsigned:
                self._unsigned.add(device)
            else:
                self._keyed.add(registry.tank_of(device, inf) or row.tank)
        self._uplink_of = {
            device: uplink
            for device, rows in registry.devices.items()
            if (uplink := rows[-1].uplink) and len(self._on_uplink.get(uplink, ())) > 1
        }

    def tank_row(self, tank: str) -> Tank | None:
        """The row of a tank in force now."""
        row = self._only_row.get(tank)  # nearly all of them, several times a message
        if row is not None:
            return row
        rows = self.registry.tanks.get(tank)
        return in_force(rows, self.now) if rows else None

    def site_tanks(self, row: Tank) -> list[tuple[TankState, Tank]]:
        """The tanks of a site that have a record, with their rows; itself included."""
        found: list[tuple[TankState, Tank]] = []
        for tank in self._of_site.get(row.site, ()):
            record, other = self.tanks.get(tank), self.tank_row(tank)
            if record is not None and other is not None:
                found.append((record, other))
        return found

    def is_keyed(self, tank: str) -> bool:
        """Whether some device of this tank signs its messages."""
        return tank in self._keyed

    def uplink_of(self, device: str) -> str | None:
        """The uplink of a device, when at least two devices share it."""
        return self._uplink_of.get(device)

    def neighbours(self, device: str) -> list[DeviceState]:
        """The other known devices on the uplink of ``device``.

        Unsigned feeds do not count as neighbours of a device that signs.
        """
        uplink = self.uplink_of(device)
        if uplink is None:
            return []
        ignored = self._unsigned if device not in self._unsigned else ()
        found = self.on_uplink(uplink)
        return [d for d in found if d.device != device and d.device not in ignored]

    def on_uplink(self, uplink: str) -> list[DeviceState]:
        """The devices on an uplink that have sent a message, in the registry's order."""
        records = self._records_on.get(uplink)
        if records is None:
            found = [self.devices.get(device) for device in self._on_uplink.get(uplink, ())]
            records = self._records_on[uplink] = [d for d in found if d is not None]
        return [d for d in records if d.promises]

    def tank(self, tank: str) -> TankState:
        """The record of a tank, created when missing, and marked as changed."""
        record = self.tanks.get(tank)
        if record is None:
            record = self.tanks[tank] = TankState(tank)
        self._touched[id(record)] = record
        return record

    def profile(self, tank: str) -> ProfileState:
        """The profile of a tank, created when missing; call ``touch`` after a change."""
        record = self.profiles.get(tank)
        if record is None:
            record = self.profiles[tank] = ProfileState(tank)
        return record

    def device(self, device: str, tank: str) -> DeviceState:
        """The record of a device, created when missing, and marked as changed."""
        record = self.devices.get(device)
        if record is None:
            record = self.devices[device] = DeviceState(device, tank)
            self._records_on.clear()
        self._touched[id(record)] = record
        return record

    def uplink(self, uplink: str) -> UplinkState:
        """The record of an uplink, created when missing, and marked as changed."""
        record = self.uplinks.get(uplink)
        if record is None:
            record = self.uplinks[uplink] = UplinkState(uplink)
        self._touched[id(record)] = record
        return record

    def source(self, tank: TankState) -> DeviceState | None:
        """The device that feeds a tank's level."""
        return self.devices.get(tank.source.split("/")[0]) if tank.source else None

    def open_incident(self, family: str, subject: str) -> Incident | None:
        """The open incident of a family about a subject."""
        return self._open.get((family, subject))

    def add_incident(self, incident: Incident) -> None:
        """Add an open incident."""
        self._restore(incident)
        self._touched[id(incident)] = incident

    def drop_incident(self, incident: Incident) -> None:
        """Remove an incident that was closed."""
        del self.incidents[incident.id]
        del self._open[incident.family, incident.subject]
        self._touched[id(incident)] = incident

    def touch(self, record: Record) -> None:
        """Mark a record as changed."""
        self._touched[id(record)] = record

    def touched(self) -> set[RecordKey]:
        """The keys of the records that changed since the last call."""
        touched = {key_of(record) for record in self._touched.values()}
        self._touched.clear()
        self._dirty |= touched
        return touched

    def dirty(self) -> dict[str, SavedRecord | None]:
        """Saved form of the records that changed since the last call; None for a removed one.

        Call ``touched`` before it: this resets both.
        """
        self.touched()
        changed = {json_codec.key_text(key): self._saved(key) for key in sorted(self._dirty)}
        self._dirty.clear()
        return changed

    def _saved(self, key: RecordKey) -> SavedRecord | None:
        kind, name = key
        if kind == "incident":
            return to_saved(self.incidents[name]) if name in self.incidents else None
        if kind == "profile":
            return to_saved(self.profiles[name])
        return to_saved(self.uplinks[name] if kind == "uplink" else self._timed(key))

    def _restore(self, record: Record) -> None:
        if isinstance(record, Incident):
            self.incidents[record.id] = self._open[record.family, record.subject] = record
            return
        if isinstance(record, ProfileState):
            self.profiles[record.tank] = record
            return
        if isinstance(record, UplinkState):
            self.uplinks[record.uplink] = record
            return
        if isinstance(record, DeviceState):
            self.devices[record.device] = record
        elif isinstance(record, TankState):
            self.tanks[record.tank] = record
        else:
            self.listening = record
        for name, due in record.due.items():
            heapq.heappush(self._heap, Timer(due, key_of(record), name))

    def set_timer(self, record: TimedRecord, name: str, due: float | None) -> None:
        """Let the timer ``name`` of a record fire at ``due`` (Unix s); None stops it."""
        timers = record.due
        before = timers.get(name)
        if before == due:
            return
        self._touched[id(record)] = record
        if due is None:
            del timers[name]
            return
        timers[name] = due
        if before is not None and before < due:
            return  # postponed, as with every message: ``next_timer`` moves the heap's entry
        heapq.heappush(self._heap, Timer(due, key_of(record), name))
        if len(self._heap) > 256 + 8 * (len(self.devices) + len(self.tanks)):
            self._compact()

    def _compact(self) -> None:
        """Drop the heap's entries of timers that were stopped or brought forward."""
        records = (self.listening, *self.devices.values(), *self.tanks.values())
        self._heap = sorted(
            Timer(due, key_of(r), name) for r in records for name, due in r.due.items()
        )

    def next_timer(self, until: float = inf) -> Timer | None:
        """The timer that fires next, at or before ``until`` (Unix s).

        The heap has each timer at its time or, when it was postponed since, at an earlier one.
        """
        heap = self._heap
        while heap and heap[0].at <= until:
            at, key, name = timer = heap[0]
            due = self._timed(key).due.get(name)
            if due == at:
                return timer
            if due is not None and due > at:
                heapq.heapreplace(heap, Timer(due, key, name))
            else:
                heapq.heappop(heap)
        return None

    def take_timer(self, timer: Timer) -> TimedRecord:
        """Remove the timer that ``next_timer`` returned; returns its record, marked as changed."""
        heapq.heappop(self._heap)
        record = self._timed(timer.record)
        del record.due[timer.name]
        self._touched[id(record)] = record
        return record

    def _timed(self, key: RecordKey) -> TimedRecord:
        kind, name = key
        if kind == "device":
            return self.devices[name]
        return self.tanks[name] if kind == "tank" else self.listening

"""What the parts of the watch share during one step: registry, records, timers, answers.

It holds no rules. Records marked by ``touch`` are what ``dirty`` saves.
"""

import heapq
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

from gateway.domain.outputs import WatchOutput
from gateway.domain.registry import Registry, Tank, in_force
from gateway.domain.watch.memory.json_codec import pack, unpack
from gateway.domain.watch.memory.state import (
    DeviceState,
    Incident,
    ListeningState,
    ProfileState,
    TankState,
    UplinkState,
)

_KINDS: dict[str, type[Any]] = {
    "tank": TankState,
    "device": DeviceState,
    "uplink": UplinkState,
    "ears": ListeningState,
    "incident": Incident,
    "profile": ProfileState,
}


class WatchContext:
    """Records by key (``tank:north-1``), an index of the registry, timers, and the answers."""

    def __init__(
        self,
        registry: Registry,
        state: Mapping[str, Any] | None,
        pack: Callable[[Any], Any] = pack,
    ) -> None:
        self._pack = pack
        self.now = 0.0
        self.told: list[WatchOutput] = []
        self.records: dict[str, Any] = {}
        self._touched: set[str] = set()  # since the last call of ``touched`` or ``dirty``
        self._changed: set[str] = set()  # what ``touched`` has not told
        self._dirty: set[str] = set()  # what ``dirty`` has not packed
        self._heap: list[tuple[float, str, str]] = []
        self.incidents: dict[tuple[str, str], Incident] = {}
        for key, value in (state or {}).items():
            self._restore(key, value)
        self.ears: ListeningState = self._get("ears", ListeningState)
        self.now = self.ears.heard_at
        self.set_registry(registry)

    # Registry -----------------------------------------------------------------------------

    def set_registry(self, registry: Registry) -> None:
        """Use these rows from now on."""
        self.registry = registry
        self._uplinks: dict[str, list[str]] = {}
        self._keyed: set[str] = set()
        self._unsigned: set[str] = set()
        for device, rows in registry.devices.items():
            row = rows[-1]
            if row.revoked:
                continue
            if row.uplink:
                self._uplinks.setdefault(row.uplink, []).append(device)
            if row.unsigned:
                self._unsigned.add(device)
            else:
                self._keyed.add(registry.tank_of(device, inf) or row.tank)

    def tank_row(self, tank: str) -> Tank | None:
        """The row of a tank in force now."""
        rows = self.registry.tanks.get(tank)
        if not rows:
            return None
        return rows[0] if len(rows) == 1 else in_force(rows, self.now)

    def is_keyed(self, tank: str) -> bool:
        """Whether some device of this tank signs what it says."""
        return tank in self._keyed

    def uplink_of(self, device: str) -> str | None:
        """The uplink of a device, when at least two devices share it."""
        row = self.registry.device(device)
        uplink = row.uplink if row else None
        return uplink if uplink and len(self._uplinks.get(uplink, ())) > 1 else None

    def neighbours(self, device: str) -> list[DeviceState]:
        """The devices heard so far that share the uplink of ``device``, without it.

        What an unsigned feed says or leaves unsaid weighs nothing where a device signs.
        """
        uplink = self.uplink_of(device)
        if uplink is None:
            return []
        ignored = self._unsigned if device not in self._unsigned else ()
        found = self.on_uplink(uplink)
        return [d for d in found if d.device != device and d.device not in ignored]

    def on_uplink(self, uplink: str) -> list[DeviceState]:
        """The devices heard so far on an uplink, in the registry's order."""
        found = (self.records.get(f"device:{d}") for d in self._uplinks.get(uplink, ()))
        return [d for d in found if d is not None and d.promises]

    def planned(self, tank: str, at: float, *kinds: str) -> bool:
        """Whether a plan of one of ``kinds`` covers ``at``."""
        plans = self.registry.plans_at(tank, at)
        return any(plan.kind in kinds for plan in plans)

    # Records ------------------------------------------------------------------------------

    def tank(self, tank: str) -> TankState:
        """The record of a tank, made when it is new, and marked as changed."""
        return self._get(f"tank:{tank}", lambda: TankState(tank))

    def profile(self, tank: str) -> ProfileState:
        """The profile of a tank, made when it is new; call ``touch`` after a change."""
        return self._get(f"profile:{tank}", lambda: ProfileState(tank), touch=False)

    def device(self, device: str, tank: str) -> DeviceState:
        """The record of a device, made when it is new, and marked as changed."""
        return self._get(f"device:{device}", lambda: DeviceState(device, tank))

    def uplink(self, uplink: str) -> UplinkState:
        """The record of an uplink, made when it is new, and marked as changed."""
        return self._get(f"uplink:{uplink}", lambda: UplinkState(uplink))

    def source(self, tank: TankState) -> DeviceState | None:
        """The device that feeds a tank's level."""
        return self.records.get(f"device:{tank.source.split('/')[0]}") if tank.source else None

    def touch(self, key: str) -> None:
        """Mark a record as changed."""
        self._touched.add(key)

    def touched(self) -> set[str]:
        """The keys of the records that changed since the last call."""
        self._note_touched()
        changed, self._changed = self._changed, set()
        return changed

    def dirty(self) -> dict[str, Any]:
        """Changed records since the last call, packed; None where one is gone."""
        self._note_touched()
        changed = {
            key: self._pack(self.records[key]) if key in self.records else None
            for key in sorted(self._dirty)
        }
        self._dirty.clear()
        return changed

    def _note_touched(self) -> None:
        self._changed |= self._touched
        self._dirty |= self._touched
        self._touched.clear()

    def add_incident(self, incident: Incident) -> None:
        """Keep an open incident."""
        self.records[f"incident:{incident.id}"] = incident
        self.incidents[incident.family, incident.subject] = incident
        self.touch(f"incident:{incident.id}")

    def drop_incident(self, incident: Incident) -> None:
        """Forget an incident that was closed."""
        del self.records[f"incident:{incident.id}"]
        del self.incidents[incident.family, incident.subject]
        self.touch(f"incident:{incident.id}")

    def _get(self, key: str, make: Callable[[], Any], touch: bool = True) -> Any:
        record = self.records.get(key)
        if record is None:
            record = self.records[key] = make()
        if touch:
            self._touched.add(key)
        return record

    def _restore(self, key: str, value: Any) -> None:
        kind = key.split(":")[0]
        record = self.records[key] = unpack(_KINDS[kind], value)
        if isinstance(record, Incident):
            self.incidents[record.family, record.subject] = record
        elif not isinstance(record, ProfileState):
            for name, due in record.due.items():
                heapq.heappush(self._heap, (due, key, name))

    # Timers -------------------------------------------------------------------------------

    def set_timer(self, key: str, name: str, due: float | None) -> None:
        """Let the timer ``name`` of a record fire at ``due`` (Unix s); None stops it."""
        timers: dict[str, float] = self.records[key].due
        before = timers.get(name)
        if before == due:
            return
        self.touch(key)
        if due is None:
            del timers[name]
            return
        timers[name] = due
        if before is not None and before < due:
            return  # put off, as with every message: ``next_due`` finds it in its old place
        heapq.heappush(self._heap, (due, key, name))
        if len(self._heap) > 256 + 8 * len(self.records):
            self._compact()

    def _compact(self) -> None:
        """Drop timers that were stopped or brought forward."""
        live = {
            (due, key, name)
            for key, record in self.records.items()
            for name, due in getattr(record, "due", {}).items()
        }
        self._heap = sorted(live)

    def next_due(self) -> tuple[float, str, str] | None:
        """The next timer: its time, the record's key, its name.

        Each is in the heap at its time or, when it was put off since, at an earlier one.
        """
        while self._heap:
            due, key, name = self._heap[0]
            record = self.records.get(key)
            true = record.due.get(name) if record is not None else None
            if true == due:
                return self._heap[0]
            if true is not None and true > due:
                heapq.heapreplace(self._heap, (true, key, name))
            else:
                heapq.heappop(self._heap)
        return None

    def take_due(self, key: str, name: str) -> None:
        """Take the timer that ``next_due`` named off the list."""
        taken = heapq.heappop(self._heap)
        while self._heap and self._heap[0] == taken:  # stopped and set again on the way
            heapq.heappop(self._heap)
        del self.records[key].due[name]
        self.touch(key)

"""The watch: hears what happened, answers with levels, events, incidents and forecasts.

Pure and deterministic: no clock, no I/O, no randomness. The gateway and ``noria replay`` run this
very class.
"""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.domain.inputs import (
    ForkedMessage,
    JournaledMessage,
    ListeningChange,
    OperatorAction,
    RegistryChanged,
    WatchInput,
)
from gateway.domain.outputs import TankNow, WatchOutput
from gateway.domain.registry import Registry
from gateway.domain.watch import message, operate, view
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.json_codec import pack
from gateway.domain.watch.memory.state import DeviceState, TankState
from gateway.domain.watch.rules import (
    clone,
    handling,
    hours,
    presence,
    removal,
    silence,
    water,
)


class Watch:
    """One watch over all tanks of a registry. Times are Unix seconds.

    ``pack`` makes JSON values of state; the gateway leaves that to the saving.
    """

    def __init__(
        self,
        registry: Registry,
        state: Mapping[str, Any] | None = None,
        pack: Callable[[Any], Any] = pack,
    ) -> None:
        self._scene = WatchContext(registry, state, pack)

    @property
    def registry(self) -> Registry:
        """The rows in use; assign new ones, then step ``RegistryChanged``."""
        return self._scene.registry

    @registry.setter
    def registry(self, registry: Registry) -> None:
        """Use these rows from now on."""
        self._scene.set_registry(registry)

    def step(self, event: WatchInput, now: float) -> list[WatchOutput]:
        """Take one input at ``now`` (its receive time) and answer.

        Timers due at or before ``now`` fire first, each at its own due time; so the caller may,
        but need not, step a ``Tick`` at each ``due``. Time never runs backwards here.
        """
        scene = self._scene
        if isinstance(event, ListeningChange) and event.change == "start":
            presence.missed_stop(scene, now)
        self._fire(now)
        scene.now = max(scene.now, now)
        if isinstance(event, JournaledMessage):
            message.take_message(scene, event)
        elif isinstance(event, ForkedMessage):
            clone.report_fork(scene, event)
        elif isinstance(event, ListeningChange):
            if presence.listen(scene, event):
                self._listen_again()
        elif isinstance(event, OperatorAction):
            operate.operate(scene, event)
        elif isinstance(event, RegistryChanged):
            self._reschedule()
        scene.ears.heard_at = scene.now
        scene.touch("ears")
        told, scene.told = scene.told, []
        return told

    def fire(self, now: float) -> list[WatchOutput]:
        """Fire the timers due at or before ``now``, each at its own time; nothing was heard.

        Unlike a ``Tick`` this says nothing of our own listening: an outage that nobody noted is
        counted from the last thing heard, here as in a replay.
        """
        self._fire(now)
        told, self._scene.told = self._scene.told, []
        return told

    def due(self) -> float | None:
        """When the next timer fires, or None."""
        due = self._scene.next_due()
        return due[0] if due else None

    def now(self, tank: str) -> TankNow:
        """Everything that a page shows of one tank."""
        return view.tank_now(self._scene, tank)

    def touched(self) -> set[str]:
        """Keys of the state that changed since the last call; ``dirty`` packs it all the same."""
        return self._scene.touched()

    def dirty(self) -> dict[str, Any]:
        """State changed since the last call, by key, packed; None where it is gone."""
        return self._scene.dirty()

    def _fire(self, until: float) -> None:
        scene = self._scene
        while (due := scene.next_due()) and due[0] <= until:
            at, key, name = due
            scene.take_due(key, name)
            scene.now = max(scene.now, at)
            record = scene.records[key]
            if isinstance(record, DeviceState):
                _DEVICE_TIMERS[name](scene, record)
            elif isinstance(record, TankState):
                _TANK_TIMERS[name](scene, record)
            elif name == "settled":
                presence.settled(scene)
                self._listen_again()

    def _listen_again(self) -> None:
        """Silence counts again: set every promise's timers, and decide what had to wait."""
        self._reschedule()
        for _, record in sorted(self._scene.records.items()):  # the same order after a restart
            if isinstance(record, TankState) and record.held:
                water.release(self._scene, record)

    def _reschedule(self) -> None:
        for record in list(self._scene.records.values()):
            if isinstance(record, DeviceState) and record.promises:
                presence.schedule(self._scene, record)


def _late(scene: WatchContext, device: DeviceState) -> None:
    if presence.is_due(scene, device, 1):
        presence.mark_late(scene, device)


def _silent(scene: WatchContext, device: DeviceState) -> None:
    row = scene.registry.device(device.device)
    if row is None or row.revoked or not presence.is_due(scene, device, 3):
        return
    if presence.mark_silent(scene, device) and not removal.silent(scene, device):
        silence.judge(scene, device)
    removal.reconsider(scene, scene.neighbours(device.device))


_DEVICE_TIMERS: dict[str, Callable[[WatchContext, DeviceState], None]] = {
    "late": _late,
    "silent": _silent,
    "wait": silence.waited,
}
_TANK_TIMERS: dict[str, Callable[[WatchContext, TankState], None]] = {
    "hour": hours.turn,
    "plan": water.release,
    "lid": handling.lid_stayed_open,
    "episode": removal.calm,
}

"""The watch: inputs in order, and for each the levels, events, incidents and forecasts.

Pure and deterministic: no clock, no I/O, no randomness. The gateway and ``noria replay`` run the
same class.
"""

from collections.abc import Callable, Mapping

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
from gateway.domain.watch import feed, message, view
from gateway.domain.watch.fitted import FITTED
from gateway.domain.watch.memory import incidents
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.json_codec import JSON, SavedRecord
from gateway.domain.watch.memory.state import DeviceState, Incident, RecordKey, TankState
from gateway.domain.watch.rules import (
    clone,
    closing,
    handling,
    hours,
    listening,
    power,
    presence,
    removal,
    sensor,
    silence,
    water,
)
from gateway.domain.watch.tracks.cause import Review
from gateway.domain.watch.tracks.weights import Weights


class Watch:
    """One watch over all tanks of a registry, from ``state`` as ``dirty`` returned it.

    Times are Unix seconds. Other ``weights`` than the fitted ones, and ``observe``, which is called
    with each review of an episode, are for the command that fits them.
    """

    def __init__(
        self, registry: Registry, state: Mapping[str, JSON] | None = None,
        weights: Weights = FITTED, observe: Callable[[Review], None] | None = None,
    ) -> None:  # fmt: skip
        self._context = WatchContext(registry, state, weights, observe)

    def set_registry(self, registry: Registry) -> None:
        """Use these rows from now on; step ``RegistryChanged`` after it."""
        self._context.set_registry(registry)

    def step(self, event: WatchInput, now: float) -> list[WatchOutput]:
        """Apply one input at ``now`` (its receive time); returns what follows from it.

        Timers due at or before ``now`` fire first, each at its own due time; so the caller may,
        but need not, step a ``Tick`` at each ``due``. Time never decreases here.
        """
        context = self._context
        if isinstance(event, ListeningChange) and event.change == "start":
            listening.infer_missed_stop(context, now)
        self._fire(now)
        context.now = max(context.now, now)
        if isinstance(event, JournaledMessage):
            message.apply_message(context, event)
        elif isinstance(event, ForkedMessage):
            clone.report_fork(context, event)
        elif isinstance(event, ListeningChange):
            if listening.apply_listening_change(context, event):
                self._resume()
        elif isinstance(event, OperatorAction):
            _apply_action(context, event)
        elif isinstance(event, RegistryChanged):
            self._reschedule()
        context.listening.last_input_at = context.now
        context.touch(context.listening)
        outputs, context.outputs = context.outputs, []
        return outputs

    def fire(self, now: float) -> list[WatchOutput]:
        """Fire the timers due at or before ``now``, each at its own time, without an input.

        Unlike a ``Tick`` it does not count as time in which the gateway received: an outage
        without a ``stop`` starts at the last input, here as in a replay.
        """
        self._fire(now)
        outputs, self._context.outputs = self._context.outputs, []
        return outputs

    def due(self) -> float | None:
        """When the next timer fires, or None."""
        timer = self._context.next_timer()
        return timer.at if timer else None

    def now(self, tank: str) -> TankNow:
        """Everything that a page shows of one tank."""
        return view.tank_now(self._context, tank)

    def shown(self, tank: str) -> dict[str, object]:
        """The fields of ``now`` as JSON values, which take a third of the time."""
        return view.shown(self._context, tank)

    def touched(self) -> set[RecordKey]:
        """Keys of the state that changed since the last call of this or of ``dirty``."""
        return self._context.touched()

    def dirty(self) -> dict[str, SavedRecord | None]:
        """State changed since the last call, by the text of its key; None where it was removed.

        It shares parts with the state: encode it as JSON before the next step.
        """
        return self._context.dirty()

    def _fire(self, until: float) -> None:
        context = self._context
        while timer := context.next_timer(until):
            record = context.take_timer(timer)
            context.now = max(context.now, timer.at)
            if isinstance(record, DeviceState):
                _DEVICE_TIMERS[timer.name](context, record)
            elif isinstance(record, TankState):
                _TANK_TIMERS[timer.name](context, record)
            else:
                listening.end_settling(context)
                self._resume()

    def _resume(self) -> None:
        """Silence counts again: reset the timers of all promises, decide the alerts that waited."""
        self._reschedule()
        for _, device in sorted(self._context.devices.items()):  # the same order after a restart
            _judge_again(self._context, device)
        for _, tank in sorted(self._context.tanks.items()):
            if tank.alert_waits:
                water.decide_waiting(self._context, tank)

    def _reschedule(self) -> None:
        for device in self._context.devices.values():
            if device.promises:
                presence.schedule(self._context, device)


def _apply_action(context: WatchContext, event: OperatorAction) -> None:
    """Apply what a person did about an incident; a claim changes nothing here."""
    incident = context.incidents.get(event.incident)
    if incident is None:
        return
    if incident.family == removal.FAMILY and event.op in ("moved_by_us", "seen_there"):
        removal.apply_operator_action(context, incident, event.op)
    elif event.op == "close_asked":
        closing.ask(context, incident, str(event.fields.get("why") or "other"))
    elif event.op == "keep_open":
        closing.end(context, incident, "kept")
    elif event.op in ("close", "moved_by_us"):
        _mute(context, incident)
        incidents.close(context, incident, why="person")


def _mute(context: WatchContext, incident: Incident) -> None:
    """Prevent the incident from opening again until its cause has changed."""
    if incident.family == water.FAMILY:
        context.tank(incident.subject).muted = incident.kind
    elif incident.family == sensor.FAMILY:
        context.tank(incident.subject).health.muted = True
    elif incident.family == silence.UPLINK:
        context.uplink(incident.subject).muted = True
    elif incident.family == removal.FAMILY:
        removal.mark_closed(context, incident)
    elif incident.family == silence.FAMILY:
        context.device(incident.subject, incident.tank or "").silence_muted = True
    elif incident.family == power.FAMILY:
        context.device(incident.subject, incident.tank or "").battery_muted = True


def _check_silent(context: WatchContext, device: DeviceState) -> None:
    row = context.registry.device(device.device)
    if row is None or row.revoked or not presence.is_silent(context, device):
        return
    if presence.mark_silent(context, device):
        _judge(context, device)
    removal.review_silent(context, context.neighbours(device.device))


def _judge(context: WatchContext, device: DeviceState) -> None:
    """Judge a silent device, unless its tank was handled before."""
    if not removal.explains_silence(context, device):
        silence.judge(context, device)


def _judge_again(context: WatchContext, device: DeviceState) -> None:
    """Judge a device that waited; while the gateway is deaf it goes on waiting."""
    if device.waiting and not presence.is_deaf(context):
        device.waiting = False
        _judge(context, device)


_DEVICE_TIMERS: dict[str, Callable[[WatchContext, DeviceState], None]] = {
    "late": presence.check_late,
    "silent": _check_silent,
    "wait": _judge_again,
}
_TANK_TIMERS: dict[str, Callable[[WatchContext, TankState], None]] = {
    "gap": feed.end_gap,
    "hour": hours.close_hour,
    "plan": water.decide_waiting,
    "lid": handling.lid_stayed_open,
    "episode": removal.end_episode,
    "closing": closing.expire,
}

"""A node's clock as a witness: NTP is not authenticated, and an hour back would hide a theft.

What a message reports that was sealed when it came is placed by its receipt where the node's clock
says otherwise; a large step of the clock counts as evidence beside others.
"""

from dataclasses import replace

from gateway.domain.inputs import DeviceEvent, JournaledMessage
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState
from gateway.domain.watch.rules import presence
from gateway.domain.watch.tracks.cause import Term
from gateway.domain.watch.tracks.tamper import Episode

TOLERANCE_S = 300.0
"""WIRE.md, *Event time*: a clock this near to the receipt is believed."""
_SEALED_NOW_S = 60.0
_DRIFT = 0.02  # of an ESP32's clock asleep (WIRE.md)
_STEP_S = 1800.0  # a day without the time drifts less than this
_NEAR_S = 3600.0
_STEP_TOWARDS_THEFT = 1.0
"""Assumed: no recording has it. With other evidence it tips a balance; alone it opens nothing."""


def placed(
    context: WatchContext, device: DeviceState, message: JournaledMessage
) -> JournaledMessage:
    """The message with its times by receipt, where it was sealed just now by a wrong clock.

    Events are placed so whenever the clock is wrong. Readings only after it was right: a clock
    that always had the same error orders them well, and their history stays of one piece.
    """
    if message.auth == "unsigned" or not message.newest or message.sealed_at is None:
        return message
    if presence.is_deaf(context) or not _is_sealed_now(device, message):
        return message
    lag_s = message.received - message.sealed_at
    if -TOLERANCE_S <= lag_s <= TOLERANCE_S:
        device.clock_was_right = True
        return message
    events = tuple([replace(e, at=e.at + lag_s, estimated=True) for e in message.events])
    readings = message.readings
    if device.clock_was_right:
        readings = tuple([r._replace(at=r.at + lag_s, estimated=True) for r in readings])
    return message._replace(events=events, readings=readings)


def _is_sealed_now(device: DeviceState, message: JournaledMessage) -> bool:
    """Whether a newest message was sealed about when it came, by its uptime, not by its clock;
    then it is remembered.

    Each connection seals a message and publishes it first, so only a broker's queue delays one:
    after our own outage, or on a bridge, where the uptime since the last message shows it.
    """
    received, up = message.received, message.uptime_s
    if device.sealed_boot == message.boot and device.sealed_era == message.era:
        passed_s = received - device.sealed_received
        late_s = passed_s - (up - device.sealed_up)
        if late_s > _SEALED_NOW_S and late_s > min(_SEALED_NOW_S + _DRIFT * passed_s, TOLERANCE_S):
            return False
    else:
        device.sealed_era, device.sealed_boot = message.era, message.boot
    device.sealed_up, device.sealed_received = up, received
    return True


def note_step(device: DeviceState, event: DeviceEvent) -> None:
    """Remember a large step that the node reports of its clock (event ``time``, ``by`` in s)."""
    by = event.fields.get("by")
    if isinstance(by, int) and abs(by) >= _STEP_S:
        device.clock_stepped_at, device.clock_stepped_by = event.at, by


def terms(device: DeviceState, episode: Episode) -> list[Term]:
    """A step of the clock beside an episode: whoever takes a tank may hide when."""
    at = device.clock_stepped_at
    if at is None or not episode.at - _NEAR_S <= at <= episode.last_at + _NEAR_S:
        return []
    values = {"stepped_s": float(abs(device.clock_stepped_by))}
    return [Term("clock_stepped", "measured", {"theft": _STEP_TOWARDS_THEFT}, values)]

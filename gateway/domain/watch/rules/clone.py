"""Clones: two nodes with one identity (WIRE.md, Presence).

Either a former era stays active beside the newest, or one number is used twice. A node that lost
its counters resends messages of its former era, but all of them were made before the new era
began; one made later comes from another node.
"""

from collections.abc import Mapping

from gateway.domain.inputs import ForkedMessage, JournaledMessage
from gateway.domain.watch.memory import incidents
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState
from gateway.domain.watch.rules import presence
from gateway.domain.watch.tracks.cause import Term, weigh

FAMILY = "clone"
_ERAS_KEPT = 4


def is_former(device: DeviceState, message: JournaledMessage) -> bool:
    """Whether the message belongs to an era that a newer one has followed."""
    if len(device.promises) < 2:  # the usual case
        return False
    return any(promise.era == message.era for promise in device.promises[:-1])


def is_newer_than_newest_era(device: DeviceState, message: JournaledMessage) -> bool:
    """Whether a former era's message was made after the newest era began.

    Event times that the gateway estimated from the receive time prove nothing.
    """
    times = [item.at for item in message.readings + message.events if not item.estimated]
    return bool(times) and max(times) > device.promises[-1].began


def check_eras(context: WatchContext, device: DeviceState) -> None:
    """Report two active eras, once until one of them ends."""
    eras = len(presence.active_promises(device)) if len(device.promises) > 1 else 1
    if eras < 2:
        device.clone_reported = False
        return
    if device.clone_reported:
        return
    device.clone_reported = True
    _report(context, device, "two_eras_speak", {"clone": 9.0}, device.promises[-1].began, eras=eras)


def report_fork(context: WatchContext, event: ForkedMessage) -> None:
    """Report a fork, once for each era: a clone, or counters that went back.

    Anybody can write an unsigned message, so it proves nothing about a device.
    """
    row = context.registry.device(event.device)
    if row is None or event.auth == "unsigned" or context.tank_row(row.tank) is None:
        return
    device = context.device(event.device, row.tank)
    if event.era in device.reported_forks:
        return
    device.reported_forks.append(event.era)
    del device.reported_forks[:-_ERAS_KEPT]
    # A node whose flash failed draws a new era once an ack proves it (WIRE.md): the rarer cause,
    # and the harmless one.
    towards = {"clone": 8.0, "sensor_fault": 2.0}
    _report(context, device, "number_used_twice", towards, event.received)


def _report(
    context: WatchContext, device: DeviceState, term: str, towards: Mapping[str, float], at: float,
    **values: int,
) -> None:  # fmt: skip
    causes, _, because = weigh([Term(term, "measured", towards, values)])
    incidents.report(
        context, FAMILY, device.device, at=at, kind="clone", probability=causes["clone"],
        causes=causes, because=because, auth=device.auth, tank=device.tank,
    )  # fmt: skip

"""Two nodes under one name: a former era that speaks on beside the newest (WIRE.md, Presence), or
one number used twice.

A node that lost its counters resends its former era's messages; those were spoken before the new
era began. What was spoken after is somebody else's voice.
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


def is_former(device: DeviceState, heard: JournaledMessage) -> bool:
    """Whether the message belongs to an era that a newer one has followed."""
    if len(device.promises) < 2:  # nearly always
        return False
    return any(promise.era == heard.era for promise in device.promises[:-1])


def spoke_after_newest_era(device: DeviceState, heard: JournaledMessage) -> bool:
    """Whether a former era's message was spoken after the newest era began.

    Times that we worked out ourselves from the receipt prove nothing.
    """
    times = [item.at for item in heard.readings + heard.events if not item.estimated]
    return bool(times) and max(times) > device.promises[-1].began


def watch(scene: WatchContext, device: DeviceState) -> None:
    """Report two that speak at once, a single time while they do."""
    eras = len(presence.speaking(device)) if len(device.promises) > 1 else 1
    if eras < 2:
        device.twins_told = False
        return
    if device.twins_told:
        return
    device.twins_told = True
    _report(scene, device, "two_eras_speak", {"clone": 9.0}, device.promises[-1].began, eras=eras)


def report_fork(scene: WatchContext, event: ForkedMessage) -> None:
    """Report a fork, once for each era: a twin, or counters that went back.

    Anybody can write what an unsigned feed says; that proves nothing about a device.
    """
    row = scene.registry.device(event.device)
    if row is None or event.auth == "unsigned" or scene.tank_row(row.tank) is None:
        return
    device = scene.device(event.device, row.tank)
    if event.era in device.forked_told:
        return
    device.forked_told.append(event.era)
    del device.forked_told[:-_ERAS_KEPT]
    # A node whose flash failed draws a new era as soon as an ack proves it (WIRE.md): the rarer of
    # the two, and the harmless one.
    towards = {"clone": 8.0, "sensor_fault": 2.0}
    _report(scene, device, "number_used_twice", towards, event.received)


def _report(
    scene: WatchContext, device: DeviceState, term: str, towards: Mapping[str, float], at: float,
    **values: int,
) -> None:  # fmt: skip
    causes, _, because = weigh([Term(term, "measured", towards, values)])
    incidents.report(
        scene, FAMILY, device.device, at=at, kind="clone", probability=causes["clone"],
        causes=causes, because=because, auth=device.auth, tank=device.tank,
    )  # fmt: skip

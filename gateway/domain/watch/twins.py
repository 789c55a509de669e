"""Two nodes under one name: a former era that speaks on beside the newest (WIRE.md, Presence).

A node that lost its counters resends its former era's messages; those were spoken before the new
era began. What was spoken after is somebody else's voice.
"""

from gateway.domain.heard import Heard
from gateway.domain.watch import incidents, presence
from gateway.domain.watch.cause import Term, weigh
from gateway.domain.watch.scene import Scene
from gateway.domain.watch.state import DeviceState

FAMILY = "clone"


def is_former(device: DeviceState, heard: Heard) -> bool:
    """Whether the message belongs to an era that a newer one has followed."""
    return any(promise.era == heard.era for promise in device.promises[:-1])


def speaks(device: DeviceState, heard: Heard) -> bool:
    """Whether a former era's message was spoken after the newest era began.

    Times that we worked out ourselves from the receipt prove nothing.
    """
    times = [item.at for item in heard.readings + heard.events if not item.estimated]
    return bool(times) and max(times) > device.promises[-1].began


def watch(scene: Scene, device: DeviceState) -> None:
    """Report two that speak at once, a single time while they do."""
    eras = len(presence.speaking(device))
    if eras < 2:
        device.twins_told = False
        return
    if device.twins_told:
        return
    device.twins_told = True
    causes, _, because = weigh([Term("two_eras_speak", "measured", {"clone": 9.0}, {"eras": eras})])
    incidents.report(
        scene, FAMILY, device.device, at=device.promises[-1].began, kind="clone",
        probability=causes["clone"], causes=causes, because=because, auth=device.auth,
        tank=device.tank,
    )  # fmt: skip

"""Batteries: a warning before a node falls silent, and the reason when it did."""

from gateway.domain.inputs import JournaledMessage
from gateway.domain.watch.memory import incidents
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState
from gateway.domain.watch.tracks.cause import Term, weigh

FAMILY = "battery"
LOW_MV = 3500
"""Below 3400 mV a node sends events only (DESIGN.md, The node): warn while it still speaks."""
GOOD_MV = 3650
_CONSECUTIVE = 2
_KEPT = 12


def take_message(scene: WatchContext, device: DeviceState, heard: JournaledMessage) -> None:
    """Take battery and signal strength of a newest message in; warn, or end the warning."""
    device.battery_mv, device.rssi_dbm = heard.battery_mv, heard.rssi_dbm
    if heard.rssi_dbm is not None:
        device.rssi.append(float(heard.rssi_dbm))
        del device.rssi[:-_KEPT]
    if heard.battery_mv is None:
        return
    device.battery.append([heard.received, float(heard.battery_mv)])
    del device.battery[:-_KEPT]
    _count(device, heard.battery_mv)
    incident = incidents.find(scene, FAMILY, device.device)
    if incident is None and device.low_battery >= _CONSECUTIVE:
        _warn(scene, device, heard)
    elif incident is not None and device.low_battery <= -_CONSECUTIVE:
        incidents.close(scene, incident, why="charged", figures={"battery_mv": heard.battery_mv})


def _count(device: DeviceState, millivolts: int) -> None:
    if millivolts < LOW_MV:
        device.low_battery = max(device.low_battery, 0) + 1
    elif millivolts >= GOOD_MV:
        device.low_battery = min(device.low_battery, 0) - 1
    else:
        device.low_battery = 0
    if device.low_battery < 0:
        device.battery_muted = False
    device.low_battery = max(min(device.low_battery, 9), -9)


def _warn(scene: WatchContext, device: DeviceState, heard: JournaledMessage) -> None:
    if device.battery_muted:
        return
    causes, _, because = weigh(terms(device))
    incidents.report(
        scene, FAMILY, device.device, at=device.battery[-_CONSECUTIVE][0], kind="battery",
        probability=causes["battery"], causes=causes, because=because, auth=heard.auth,
        tank=device.tank, figures={"battery_mv": heard.battery_mv},
    )  # fmt: skip


def merge(scene: WatchContext, device: DeviceState) -> None:
    """The battery did fail: its silence carries on from the warning."""
    if incident := incidents.find(scene, FAMILY, device.device):
        incidents.close(scene, incident, why="silent")


def terms(device: DeviceState) -> list[Term]:
    """What battery and signal strength say about a silence."""
    found: list[Term] = []
    if device.battery_mv is not None:
        values = {"battery_mv": device.battery_mv}
        if device.battery_mv < LOW_MV:
            towards = {"battery": 4.5, "seized": -0.7}
            found.append(Term("battery_low", "measured", towards, values))
        elif device.battery_mv >= GOOD_MV:
            towards = {"battery": -2.5}
            found.append(Term("battery_good", "measured", towards, values))
    if len(device.rssi) >= 4 and device.rssi[-1] <= min(-85.0, device.rssi[0] - 8):
        values = {"rssi_dbm": device.rssi[-1], "before_dbm": device.rssi[0]}
        found.append(Term("signal_fading", "measured", {"network_out": 1.0}, values))
    return found

"""Batteries: a warning before a node falls silent, and evidence after that."""

from gateway.domain.inputs import JournaledMessage
from gateway.domain.watch.memory import incidents
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState
from gateway.domain.watch.tracks.cause import Term, weigh

FAMILY = "battery"
LOW_MV = 3500
"""Below 3400 mV a node sends events only: warn before that."""
GOOD_MV = 3650
_CONSECUTIVE = 2
_KEPT = 12


def update(context: WatchContext, device: DeviceState, message: JournaledMessage) -> None:
    """Record battery and signal strength of a newest message; warn, or end the warning."""
    device.battery_mv, device.rssi_dbm = message.battery_mv, message.rssi_dbm
    if message.rssi_dbm is not None:
        device.rssi.append(float(message.rssi_dbm))
        del device.rssi[:-_KEPT]
    if message.battery_mv is None:
        return
    device.battery.append([message.received, float(message.battery_mv)])
    del device.battery[:-_KEPT]
    _count(device, message.battery_mv)
    incident = context.open_incident(FAMILY, device.device)
    if incident is None and device.low_battery >= _CONSECUTIVE:
        _warn(context, device, message)
    elif incident is not None and device.low_battery <= -_CONSECUTIVE:
        figures = {"battery_mv": message.battery_mv}
        incidents.close(context, incident, why="charged", figures=figures)


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


def _warn(context: WatchContext, device: DeviceState, message: JournaledMessage) -> None:
    if device.battery_muted:
        return
    causes, _, because = weigh(terms(device))
    incidents.report(
        context, FAMILY, device.device, at=device.battery[-_CONSECUTIVE][0], kind="battery",
        probability=causes["battery"], causes=causes, because=because, auth=message.auth,
        tank=device.tank, figures={"battery_mv": message.battery_mv},
    )  # fmt: skip


def close_warning(context: WatchContext, device: DeviceState) -> None:
    """Close the warning because the device is silent now, which has its own incident."""
    if incident := context.open_incident(FAMILY, device.device):
        incidents.close(context, incident, why="silent")


def terms(device: DeviceState) -> list[Term]:
    """Battery and signal strength as evidence for the cause of a silence."""
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

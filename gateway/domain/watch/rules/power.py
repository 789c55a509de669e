"""Batteries: a warning before a node falls silent, and evidence after that.

The thresholds are those of one lithium-ion cell, as in the firmware (``policy/schedule.py``): the
chemistry is not transmitted. A LiFePO4 cell, 3200 to 3400 mV for most of its charge, would seem
empty here, and the firmware would report events only with it.
"""

from statistics import fmean

from gateway.domain.inputs import JournaledMessage
from gateway.domain.watch.memory import incidents
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState
from gateway.domain.watch.tracks.cause import Term, weigh

FAMILY = "battery"
SPENT_MV = 3400
"""Below it a node sends events only."""
LOW_MV = 3500
GOOD_MV = 3650
_CONSECUTIVE = 2
_KEPT = 12
_ENDS = 3  # values at each end of the trend, averaged against the noise of the converter
_CHARGED_MV = 30.0
_COLD_DC = 0  # tenths of degC: below it a lithium-ion cell gives markedly less


def update(context: WatchContext, device: DeviceState, message: JournaledMessage) -> None:
    """Record battery and signal strength of a newest message; warn, or end the warning."""
    device.battery_mv, device.rssi_dbm = message.battery_mv, message.rssi_dbm
    if message.readings:
        device.air_dc = message.readings[-1].temperature_dc
    if message.rssi_dbm is not None:
        device.rssi.append(float(message.rssi_dbm))
        if len(device.rssi) > _KEPT:
            del device.rssi[0]
    if message.battery_mv is None:
        return
    device.battery.append([message.received, float(message.battery_mv)])
    if len(device.battery) > _KEPT:
        del device.battery[0]
    _count(device, message.battery_mv, message.next_s)
    incident = context.open_incident(FAMILY, device.device)
    if incident is None and device.low_battery >= _CONSECUTIVE:
        _warn(context, device, message)
    elif incident is not None and device.low_battery <= -_CONSECUTIVE:
        figures = {"battery_mv": message.battery_mv}
        incidents.close(context, incident, why="charged", figures=figures)


def _count(device: DeviceState, millivolts: int, next_s: float) -> None:
    """Count consecutive messages of a low battery (positive) or of a good one (negative).

    One that is spent before the next message counts as enough of them: there may be no other.
    """
    if millivolts >= GOOD_MV:
        device.low_battery = max(min(device.low_battery, 0) - 1, -_CONSECUTIVE)
        device.battery_muted = False
    elif _is_spent_within(device, next_s):
        device.low_battery = _CONSECUTIVE
    elif millivolts < LOW_MV and not _is_charging(device):
        device.low_battery = min(max(device.low_battery, 0) + 1, _CONSECUTIVE)
    else:
        device.low_battery = 0


def _is_spent_within(device: DeviceState, seconds: float) -> bool:
    """Whether the battery is falling, and below ``SPENT_MV`` after this time."""
    return _trend(device)[0] < 0 and expected_mv(device, seconds) < SPENT_MV


def _is_charging(device: DeviceState) -> bool:
    return _trend(device)[0] >= _CHARGED_MV


def expected_mv(device: DeviceState, seconds: float) -> float:
    """The voltage to which the trend of the last messages leads after ``seconds``, in mV.

    Not further ahead than the trend is long: values of a few minutes say little about hours.
    """
    rise_mv, took_s = _trend(device)
    return device.battery[-1][1] + rise_mv * min(seconds / took_s, 1.0)


def _trend(device: DeviceState) -> tuple[float, float]:
    """The rise over the values kept, in mV, and the seconds that it took; no rise of few values."""
    values = device.battery
    if len(values) < 2 * _ENDS:
        return 0.0, 1.0
    (began, first), (ended, last) = (
        (fmean(at for at, _ in part), fmean(mv for _, mv in part))
        for part in (values[:_ENDS], values[-_ENDS:])
    )
    return last - first, max(ended - began, 1.0)


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
    found = _battery_terms(device)
    if len(device.rssi) >= 4 and device.rssi[-1] <= min(-85.0, device.rssi[0] - 8):
        values = {"rssi_dbm": device.rssi[-1], "before_dbm": device.rssi[0]}
        found.append(Term("signal_fading", "measured", {"network_out": 1.0}, values))
    return found


def _battery_terms(device: DeviceState) -> list[Term]:
    millivolts = device.battery_mv
    if millivolts is None:
        mains = bool(device.promises) and device.auth != "unsigned"  # WIRE.md: no ``mv`` on mains
        return [Term("on_mains", "measured", {"battery": -4.0})] if mains else []
    values, found = {"battery_mv": millivolts}, list[Term]()
    if millivolts >= GOOD_MV:
        return [Term("battery_good", "measured", {"battery": -2.5}, values)]
    if millivolts < LOW_MV:
        towards = {"battery": 4.5, "seized": -0.7}
        found.append(Term("battery_low", "measured", towards, values))
    elif _is_spent_within(device, next_s := device.promises[-1].next_s):
        values = {**values, "expected_mv": round(expected_mv(device, next_s))}
        found.append(Term("battery_falling", "inferred", {"battery": 3.0}, values))
    if _is_charging(device):
        found.append(Term("battery_charging", "measured", {"battery": -4.0}))
    elif device.air_dc is not None and device.air_dc < _COLD_DC:
        cold = {"temperature_c": device.air_dc / 10}
        found.append(Term("battery_cold", "measured", {"battery": 0.8}, cold))
    return found

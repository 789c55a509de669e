"""Join the first of the configured networks that answers, within a bound."""

import time

_POLL_MS = 20


def join(wlan, networks, budget_ms):
    """Whether ``wlan`` is connected to one of ``networks`` [(ssid, password)] within ``budget_ms``.

    Each network gets an even share of the time.
    """
    if wlan.isconnected():
        return True
    for ssid, password in networks:
        if _join_one(wlan, ssid, password, budget_ms // len(networks)):
            return True
    return False


def _join_one(wlan, ssid, password, budget_ms):
    start = time.ticks_ms()
    try:
        wlan.connect(ssid, password)
        while not wlan.isconnected():
            if time.ticks_diff(time.ticks_ms(), start) >= budget_ms:
                wlan.disconnect()  # or the chip goes on trying under the next network
                return False
            time.sleep_ms(_POLL_MS)
    except OSError:
        return False  # the chip reports an internal state error while it still scans
    return True


def rssi(wlan):
    """Signal strength in dBm, 0 when the chip does not tell."""
    try:
        return wlan.status("rssi")
    except (OSError, ValueError):
        return 0

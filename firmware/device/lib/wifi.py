"""A link over Wi-Fi: the strongest of the configured networks first, within a bound."""

import time

from micropython import const

_JOIN_MS = const(10_000)
_POLL_MS = const(20)
_HIDDEN_DBM = const(-200)


class Wifi:
    """``networks`` [(ssid, password)] through ``wlan``, a station that is switched on.

    ``address``: six bytes of hardware address to use in place of the chip's own.
    """

    def __init__(self, wlan, networks, address):
        self._wlan = wlan
        self._networks = networks
        self._address = address

    def join(self, budget_ms=_JOIN_MS):
        """Connect to one of the networks. Raises OSError when none answers within the bound, or
        what the radio raised for the last one that failed otherwise."""
        if self._wlan.isconnected():
            return
        self._set_address()
        start = time.ticks_ms()
        waiting = self._ordered()
        failure = None
        while waiting:
            left = budget_ms - time.ticks_diff(time.ticks_ms(), start)
            ssid, password = waiting.pop(0)
            try:
                if left > 0 and self._join_one(ssid, password, left // (len(waiting) + 1)):
                    return
            except Exception as error:  # noqa: BLE001 - "Wifi Unknown Error" is a RuntimeError
                failure = error  # the next network may answer
        raise failure or OSError("no network of %d answered" % len(self._networks))

    def _set_address(self):
        try:
            self._wlan.config(mac=self._address)
        except Exception as error:  # noqa: BLE001
            print("own hardware address:", repr(error))  # sending readings matters more

    def _ordered(self):
        """The networks, strongest first; last those that the scan did not find: maybe hidden."""
        if len(self._networks) < 2:
            return list(self._networks)  # a scan takes two seconds of radio
        strength = {}
        try:
            for ssid, _bssid, _channel, rssi, _security, _hidden in self._wlan.scan():
                name = bytes(ssid).decode()
                strength[name] = max(rssi, strength.get(name, rssi))
        except Exception:  # noqa: BLE001, S110
            pass  # in the order of the configuration

        def key(network):
            return -strength.get(network[0], _HIDDEN_DBM)

        return sorted(self._networks, key=key)

    def _join_one(self, ssid, password, budget_ms):
        start = time.ticks_ms()
        self._wlan.connect(ssid, password)  # may report an internal state error while it scans
        while not self._wlan.isconnected():
            if time.ticks_diff(time.ticks_ms(), start) >= budget_ms:
                self._wlan.disconnect()  # or the chip keeps trying while the next one joins
                return False
            time.sleep_ms(_POLL_MS)
        return True

    def rssi(self):
        """Signal strength in dBm, 0 when unknown."""
        try:
            return self._wlan.status("rssi")
        except Exception:  # noqa: BLE001 - it is only a hint
            return 0

    def time(self):
        """None: unlike a mobile network, an access point does not send the time."""
        return None

    def off(self):
        """Does nothing: the board switches the station off."""


def address(digest):
    """A locally administered unicast address from the first six bytes of ``digest``."""
    return bytes(((digest[0] & 0xFC) | 0x02,)) + bytes(digest[1:6])

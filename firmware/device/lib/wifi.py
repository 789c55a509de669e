"""A link over Wi-Fi: the strongest of the configured networks first, within a bound."""

import time

from micropython import const

_JOIN_MS = const(10_000)
_POLL_MS = const(20)
_UNHEARD_DBM = const(-200)


class Wifi:
    """``networks`` [(ssid, password)] through ``wlan``, a station that is switched on.

    ``address``: six bytes that an access point sees in place of the chip's own.
    """

    def __init__(self, wlan, networks, address):
        self._wlan = wlan
        self._networks = networks
        self._address = address

    def join(self, budget_ms=_JOIN_MS):
        """Connect to one of the networks. Raises OSError when none answers within the bound."""
        if self._wlan.isconnected():
            return
        self._disguise()
        start = time.ticks_ms()
        waiting = self._ordered()
        while waiting:
            left = budget_ms - time.ticks_diff(time.ticks_ms(), start)
            ssid, password = waiting.pop(0)
            if left > 0 and self._join_one(ssid, password, left // (len(waiting) + 1)):
                return
        raise OSError("no network of %d answered" % len(self._networks))

    def _disguise(self):
        try:
            self._wlan.config(mac=self._address)
        except (OSError, ValueError) as error:
            print("own hardware address:", error)  # readings matter more than the disguise

    def _ordered(self):
        """The networks, strongest first; one that the scan did not hear may be hidden: last."""
        if len(self._networks) < 2:
            return list(self._networks)  # a scan takes two seconds of radio
        heard = {}
        try:
            for ssid, _bssid, _channel, rssi, _security, _hidden in self._wlan.scan():
                name = bytes(ssid).decode()
                heard[name] = max(rssi, heard.get(name, rssi))
        except (OSError, ValueError):
            pass  # the order of the configuration is as good

        def key(network):
            return -heard.get(network[0], _UNHEARD_DBM)

        return sorted(self._networks, key=key)

    def _join_one(self, ssid, password, budget_ms):
        start = time.ticks_ms()
        try:
            self._wlan.connect(ssid, password)
            while not self._wlan.isconnected():
                if time.ticks_diff(time.ticks_ms(), start) >= budget_ms:
                    self._wlan.disconnect()  # or the chip goes on trying under the next network
                    return False
                time.sleep_ms(_POLL_MS)
        except OSError:
            return False  # the chip reports an internal state error while it still scans
        return True

    def rssi(self):
        """Signal strength in dBm, 0 when the chip does not tell."""
        try:
            return self._wlan.status("rssi")
        except (OSError, ValueError):
            return 0

    def time(self):
        """Unix seconds that the network tells by itself: a router tells none."""
        return None

    def off(self):
        """Nothing beyond the station, which is the board's to switch off."""


def address(digest):
    """A locally administered unicast address from the first six bytes of ``digest``."""
    return bytes(((digest[0] & 0xFC) | 0x02,)) + bytes(digest[1:6])

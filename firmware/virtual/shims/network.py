"""ESP32's ``network``: a Wi-Fi station whose access point the host models. Sockets are real."""

from micropython import const

import _hal

STAT_CONNECTING = 1001
_GOT_IP = const(1010)

_settings = {}


class _Link:
    """Caches a link's status while it cannot change: polling costs no calls, and lets time pass."""

    def forget(self):
        self._until_ms = None

    _until_ms = None

    def status(self, op):
        now = _hal.ticks_ms()
        if self._until_ms is None or (now - self._until_ms) & (1 << 29) == 0:
            self._status, wait_ms = _hal.call(op)
            self._until_ms = now + wait_ms if self._status == STAT_CONNECTING else None
        if self._status == STAT_CONNECTING:
            _hal.sleep_us(20000)
        return self._status


_link = _Link()


class WLAN:
    """The station interface. It connects, or does not, in device time."""

    IF_STA = 0

    def __init__(self, id=0):
        pass

    def active(self, on=None):
        """Whether the radio is on, or switch it."""
        if on is None:
            return _hal.call("wifi_is_active")
        _link.forget()
        _hal.call("wifi_active", on=bool(on))
        return bool(on)

    def connect(self, ssid=None, key=None):
        """Begin to connect. Like the chip, refuses while the radio is off."""
        if not self.active():
            raise OSError("Wifi Not Started")
        _link.forget()
        _hal.call("wifi_connect", ssid=ssid)

    def disconnect(self):
        """Leave the access point."""
        _link.forget()
        _hal.call("wifi_disconnect")

    def scan(self):
        """(ssid, bssid, channel, RSSI, security, hidden) of each network in range."""
        _hal.sleep_us(2000000)
        found = _hal.call("wifi_scan")
        return [(ssid.encode(), bytes(6), 1, rssi, 4, False) for ssid, rssi in found]

    def isconnected(self):
        """Whether the station has an address."""
        return self.status() == _GOT_IP

    def status(self, param=None):
        """The number of a state, or with ``"rssi"`` the signal in dBm."""
        if param == "rssi":
            return _hal.call("wifi_rssi")
        if param is not None:
            raise ValueError("unknown status param")
        return _link.status("wifi_status")

    def config(self, *names, **settings):
        """Get one setting by name, or set some."""
        _settings.update(settings)
        if "mac" in settings:
            _hal.call("wifi_mac", mac=bytes(settings["mac"]).hex())
        if names:
            if names[0] == "mac":
                return _settings.get("mac") or bytes.fromhex(_hal.boot["unique_id"])
            return _settings.get(names[0])
        return None


class PPP:
    """A link through the modem on the UART ``stream``. Sockets are real."""

    SEC_CHAP = 2

    def __init__(self, stream):
        self._stream = stream

    def active(self, on=None):
        """Without effect: only ``connect`` and ``disconnect`` change the link."""
        return bool(on)

    def config(self, *names, **settings):
        """The stream, by name."""
        return self._stream if names else None

    def connect(self, security=0, user=None, key=None):
        """Begin to negotiate; the modem must have been dialled."""
        _link.forget()
        _hal.call("ppp_connect")

    def disconnect(self):
        """End the link; the modem sends NO CARRIER."""
        _link.forget()
        _hal.call("ppp_disconnect")

    def isconnected(self):
        """Whether there is an address."""
        return _link.status("ppp_status") == _GOT_IP


def hostname(name=None):
    """Get or set the name sent by DHCP."""
    if name is not None:
        _settings["hostname"] = name
        _hal.call("hostname", name=name)
    return _settings.get("hostname", "mpy-esp32")

"""ESP32's ``network``: a Wi-Fi station whose access point the host models. Sockets are real."""

import _hal

STA_IF = 0
AP_IF = 1
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202
STAT_BEACON_TIMEOUT = 200
STAT_ASSOC_FAIL = 203
STAT_HANDSHAKE_TIMEOUT = 204

_ADDRESS = ("192.0.2.10", "255.255.255.0", "192.0.2.1", "192.0.2.1")


class WLAN:
    """The station interface. It connects, or does not, in device time."""

    IF_STA = 0
    IF_AP = 1
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2

    def __init__(self, interface_id=STA_IF):
        self._settings = {}

    def active(self, on=None):
        """Whether the radio is on, or switch it."""
        if on is None:
            return _hal.call("wifi_is_active")
        _hal.call("wifi_active", on=bool(on))
        return bool(on)

    def connect(self, ssid=None, key=None, *, bssid=None):
        """Begin to connect. Like the chip, refuses while the radio is off."""
        if not self.active():
            raise OSError("Wifi Not Started")
        _hal.call("wifi_connect", ssid=ssid)

    def disconnect(self):
        """Leave the access point."""
        _hal.call("wifi_disconnect")

    def isconnected(self):
        """Whether the station has an address."""
        return self.status() == STAT_GOT_IP

    def status(self, param=None):
        """One of the ``STAT_*`` constants, or with ``"rssi"`` the signal in dBm."""
        if param == "rssi":
            return _hal.call("wifi_rssi")
        if param is not None:
            raise ValueError("unknown status param")
        status = _hal.call("wifi_status")
        if status == STAT_CONNECTING:
            _hal.sleep_us(20000)  # who polls lets time pass
        return status

    def config(self, *names, **settings):
        """Get one setting by name, or set some."""
        self._settings.update(settings)
        if names:
            if names[0] == "mac":
                return bytes.fromhex(_hal.boot["unique_id"])
            return self._settings.get(names[0])
        return None

    def ifconfig(self, config=None):
        """Address, mask, gateway and name server."""
        return _ADDRESS if self.isconnected() else ("0.0.0.0",) * 4  # noqa: S104

    def ipconfig(self, param=None, **settings):
        """The same by name; ``addr4`` is the address with its mask."""
        if param == "addr4":
            return self.ifconfig()[:2]
        return None


def hostname(name=None):
    """Accepted and forgotten."""
    return name or "mpy-esp32"


def country(code=None):
    """Accepted and forgotten."""
    return code or "XX"

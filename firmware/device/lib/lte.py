"""A link over LTE-M: the modem attaches, then sockets use PPP."""

import time

from micropython import const

_ATTACH_MS = const(60_000)  # 15 to 60 s is what LTE-M takes
_DIAL_MS = const(5000)
_PPP_MS = const(10_000)
_POLL_MS = const(50)


class Lte:
    """``modem`` (as drivers.sim7080g) through the network of ``access``.

    ``access`` is (apn, user or None, password or None); ``new_ppp()`` returns a ``network.PPP``
    on the modem's UART. Signal and time are read before PPP, which allows no AT commands.
    """

    def __init__(self, modem, new_ppp, access):
        self._modem = modem
        self._new_ppp = new_ppp
        self._access = access
        self._ppp = None
        self._rssi = 0
        self._time = None, 0

    def join(self, budget_ms=_ATTACH_MS):
        """Attach, dial and connect within the bound. Raises OSError."""
        start = time.ticks_ms()
        apn, user, key = self._access
        self._modem.start()
        self._modem.attach(apn, _left(start, budget_ms))
        self._rssi = self._modem.rssi()
        self._time = self._modem.time(), time.ticks_ms()
        self._modem.dial(_DIAL_MS)
        self._ppp = ppp = self._new_ppp()
        ppp.active(True)
        if user is None:
            ppp.connect()
        else:
            ppp.connect(security=ppp.SEC_CHAP, user=user, key=key or "")
        budget_ms = max(budget_ms, time.ticks_diff(time.ticks_ms(), start) + _PPP_MS)
        while not ppp.isconnected():
            if _left(start, budget_ms) <= 0:
                raise OSError("ppp: no address within %d s" % (budget_ms // 1000))
            time.sleep_ms(_POLL_MS)

    def rssi(self):
        """Signal in dBm before PPP began, 0 when unknown."""
        return self._rssi

    def time(self):
        """Unix seconds now, from the network's time when we attached; or None."""
        unix_s, at = self._time
        return unix_s and unix_s + time.ticks_diff(time.ticks_ms(), at) // 1000

    def off(self):
        """End PPP, power the modem down. Safe at any time."""
        ppp, self._ppp = self._ppp, None
        try:
            if ppp is not None:
                ppp.disconnect()
                ppp.active(False)
        except Exception as error:  # noqa: BLE001
            print("ppp:", repr(error))  # it is powered down next anyway
        self._modem.off()


def _left(start, budget_ms):
    return budget_ms - time.ticks_diff(time.ticks_ms(), start)

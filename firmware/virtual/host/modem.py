"""A SIM7080G on its UART, in device time: PWRKEY, AT commands, begin and end of PPP, NMEA.

Not modelled: radio, IP (sockets are the host's), +++ in the middle of data, its current.
"""

from datetime import UTC, datetime

from firmware.virtual.host.world import World

_START_MS = 1800
_KEY_ON_MS, _KEY_OFF_MS = 1000, 1200
_PPP_MS = 1500
_NMEA_MS = 1000
_CSQ = 18
_DIGITS_E5 = 100_000


class Modem:
    """The board's modem. ``log`` has every command, in order, for tests."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.log: list[str] = []
        self.cut()

    def cut(self) -> None:
        """Its rail is off: reset all state."""
        self._ready_ms: int | None = None
        self._key_ms: int | None = None
        self._out: bytes = b""
        self._in: bytes = b""
        self._searching_ms: int | None = None
        self._data = False
        self._ppp_ms: int | None = None
        self._radio = True
        self._gnss_ms: int | None = None
        self._nmea_ms: int | None = None

    def key(self, level: int, at_ms: int) -> None:
        """PWRKEY through its transistor: ``level`` 1 holds it low."""
        if level:
            self._key_ms = at_ms
            return
        held_ms = at_ms - self._key_ms if self._key_ms is not None else 0
        self._key_ms = None
        if self._ready_ms is None and held_ms >= _KEY_ON_MS:
            self._ready_ms = at_ms + _START_MS
            self._searching_ms = self._ready_ms
            self._out = b""
        elif self._ready_ms is not None and held_ms >= _KEY_OFF_MS:
            self.cut()

    def write(self, data: bytes, at_ms: int) -> None:
        """Bytes from the board."""
        if self._ready_ms is None or at_ms < self._ready_ms:
            return
        if self._data:
            if data == b"+++":
                self._data = False
                self._out += b"\r\nOK\r\n"
            elif data.startswith(b"AT"):
                self.log.append("AT during PPP")
            return
        self._in += data
        while b"\r" in self._in:
            line, self._in = self._in.split(b"\r", 1)
            self._execute(line.strip().decode("ascii", "replace"), at_ms)

    def read(self, at_ms: int) -> tuple[bytes, int]:
        """(bytes sent by now, ms until there may be more)."""
        self._send_nmea(at_ms)
        data, self._out = self._out, b""
        return data, 20 if self._nmea_ms is None else _NMEA_MS

    # PPP

    def connect(self, at_ms: int) -> None:
        """The board's stack begins to negotiate."""
        self._ppp_ms = at_ms + _PPP_MS if self._data else None

    def disconnect(self) -> None:
        """Hang up."""
        self._ppp_ms = None
        if self._data:
            self._data = False
            self._out += b"\r\nNO CARRIER\r\n"

    def connected(self, at_ms: int, online: bool) -> bool:
        """Whether PPP has an address."""
        return online and self._data and self._ppp_ms is not None and at_ms >= self._ppp_ms

    def connecting_ms(self, at_ms: int) -> int:
        """Milliseconds that PPP still negotiates, 0 when it does not."""
        return 0 if self._ppp_ms is None else max(self._ppp_ms - at_ms, 0)

    # AT

    def _execute(self, text: str, at_ms: int) -> None:
        if not text.startswith("AT"):
            return
        self.log.append(text)
        answer = self._answer(text, at_ms)
        if text == "AT+CPOWD=1":
            self.cut()
            self._out = b"\r\nNORMAL POWER DOWN\r\n"
        elif answer is not None:
            self._out += f"\r\n{answer}\r\n".encode()

    def _answer(self, text: str, at_ms: int) -> str | None:
        match text:
            case "AT+CPIN?":
                return "+CPIN: READY\r\n\r\nOK"
            case "AT+CEREG?":
                return f"+CEREG: 0,{1 if self._registered(at_ms) else 2}\r\n\r\nOK"
            case "AT+CSQ":
                return f"+CSQ: {_CSQ},99\r\n\r\nOK"
            case "AT+CCLK?":
                return f'+CCLK: "{self._clock(at_ms)}"\r\n\r\nOK'
            case "ATD*99#":
                self._data = self._registered(at_ms)
                return "CONNECT 150000000" if self._data else "NO CARRIER"
            case _:
                return self._set(text, at_ms)

    def _set(self, text: str, at_ms: int) -> str:
        match text:
            case "AT+CFUN=0":
                self._radio = False
            case "AT+CFUN=1":
                self._radio, self._searching_ms = True, at_ms
            case "AT+CGNSPWR=1":
                if self._radio:  # LTE and GNSS exclude each other
                    return "ERROR"
                self._gnss_ms = at_ms
            case "AT+CGNSPWR=0":
                self._gnss_ms = None
            case "AT+CGNSTST=1":
                self._nmea_ms = at_ms
            case "AT+CGNSTST=0":
                self._nmea_ms = None
            case _:
                pass
        return "OK"

    def _registered(self, at_ms: int) -> bool:
        if not self._radio or self._searching_ms is None or not self._world.in_range:
            return False
        return at_ms - self._searching_ms >= self._world.model.attach_s * 1000

    def _clock(self, at_ms: int) -> str:
        if not self._registered(at_ms):
            return "80/01/06,00:00:00+00"
        return datetime.fromtimestamp(self._world.now + 3600, UTC).strftime("%y/%m/%d,%H:%M:%S+04")

    # NMEA

    def _send_nmea(self, at_ms: int) -> None:
        if self._nmea_ms is None or self._gnss_ms is None:
            return
        while self._nmea_ms <= at_ms:
            found = at_ms - self._gnss_ms >= self._world.model.first_fix_s * 1000
            self._out += nmea(self._world, found)
            self._nmea_ms += _NMEA_MS


def nmea(world: World, found: bool) -> bytes:
    """One second's GGA and RMC, without position before the first fix."""
    at = datetime.fromtimestamp(world.now, UTC)
    clock, date = at.strftime("%H%M%S.000"), at.strftime("%d%m%y")
    if not found:
        return sentence(f"GNGGA,{clock},,,,,0,0,,,M,,M,,") + sentence(
            f"GNRMC,{clock},V,,,,,,,{date},,,N"
        )
    lat, lon = world.position_e5
    where = f"{_minutes(lat, 2, 'NS')},{_minutes(lon, 3, 'EW')}"
    return sentence(f"GNGGA,{clock},{where},1,09,1.1,12.0,M,47.0,M,,") + sentence(
        f"GNRMC,{clock},A,{where},0.02,0.0,{date},,,A"
    )


def _minutes(value_e5: int, digits: int, sides: str) -> str:
    degrees, rest = divmod(abs(value_e5), _DIGITS_E5)
    minutes = rest * 60 / _DIGITS_E5
    return f"{degrees:0{digits}d}{minutes:07.4f},{sides[value_e5 < 0]}"


def sentence(body: str) -> bytes:
    """``$body*checksum``."""
    total = 0
    for byte in body.encode():
        total ^= byte
    return f"${body}*{total:02X}\r\n".encode()

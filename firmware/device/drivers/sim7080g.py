"""SIM7080G LTE-M modem: AT commands (SIMCom SIM7080 Series AT Command Manual V1.02; power-up and
power-down timing: SIM7080G Hardware Design V1.04, *Power on/off*).

One UART carries AT, then PPP: between ``dial`` and ``hang_up`` no AT is sent. LTE and GNSS share
the receiver: switching one on switches the other off.
"""

import time

from micropython import const

from drivers.dates import unix_of

_KEY_MS = const(1100)  # PWRKEY low: over 1 s starts it, over 1.2 s ends it
_KEY_OFF_MS = const(1500)
_START_MS = const(8000)  # UART answers about 1.8 s after PWRKEY; a cold one takes longer
_ANSWER_MS = const(1000)
_RADIO_MS = const(10_000)  # AT+CFUN, AT Command Manual: 10 s at most
_ATTACH_POLL_MS = const(1000)
_DOWN_MS = const(3000)
_HANG_UP_MS = const(2500)
_GUARD_MS = const(1000)  # silence around +++
_POLL_MS = const(10)
_REGISTERED = (1, 5)  # at home, roaming
_NO_SIGNAL = const(99)


class ModemError(OSError):
    """A command of the modem or its network failed; the message names it."""


class SIM7080G:
    """The modem on ``uart``; ``press`` holds its PWRKEY for some milliseconds."""

    def __init__(self, uart, press):
        self._uart = uart
        self._press = press
        self._line = b""
        self._on = self._dialled = self._gnss = False

    # Power

    def start(self):
        """Start it and wait for its first answer. Raises ModemError."""
        if self._on:
            return
        self._press(_KEY_MS)
        start = time.ticks_ms()
        while not self._answers("AT", 300):
            if time.ticks_diff(time.ticks_ms(), start) >= _START_MS:
                raise ModemError("modem: silent for %d s after PWRKEY" % (_START_MS // 1000))
        self._on = True
        self.command("ATE0")

    def off(self):
        """Power down cleanly: some networks bar a modem that disappears, for a while."""
        if not self._on:
            return
        if self._dialled:
            self.hang_up()
        self._on = self._gnss = False
        self._send("AT+CPOWD=1")
        if not self._wait_for((b"NORMAL POWER DOWN",), _DOWN_MS):
            self._press(_KEY_OFF_MS)

    # Commands

    def command(self, text, wait_ms=_ANSWER_MS):
        """The answer's lines before OK. Raises ModemError on ERROR or silence."""
        if self._dialled:
            raise ModemError("modem: %s during PPP" % text)
        self._send(text)
        lines = []
        start = time.ticks_ms()
        while True:
            line = self._read_line(wait_ms - time.ticks_diff(time.ticks_ms(), start))
            if line is None:
                raise ModemError("modem: no answer to %s" % text)
            if line == b"OK":
                return lines
            if line == b"ERROR" or line.startswith(b"+CME ERROR"):
                raise ModemError("modem: %s: %s" % (text, line.decode()))
            if line != text.encode():  # its echo, until ATE0
                lines.append(line)

    def attach(self, apn, budget_ms):
        """Register with an LTE-M network within the bound. Raises ModemError."""
        start = time.ticks_ms()
        self._gnss_off()
        if self.command("AT+CPIN?", 5000) != [b"+CPIN: READY"]:
            raise ModemError("modem: the SIM asks for a PIN: take it off with a phone")
        # The access point is set while the radio is off, as LILYGO's MinimalModemNBIOTExample does:
        # some networks refuse to register a modem that has none, or another's.
        self.command("AT+CFUN=0", _RADIO_MS)
        self.command("AT+CNMP=38")  # LTE only: French 2G closes in 2026
        self.command("AT+CMNB=1")  # Cat-M
        self.command('AT+CGDCONT=1,"IP","%s"' % apn)
        self.command('AT+CNCFG=0,1,"%s"' % apn)
        self.command("AT+CLTS=1")  # takes the time from the network
        self.command("AT+CFUN=1", _RADIO_MS)
        while registration(self.command("AT+CEREG?")) not in _REGISTERED:
            if time.ticks_diff(time.ticks_ms(), start) + _ATTACH_POLL_MS >= budget_ms:
                raise ModemError("modem: no network within %d s" % (budget_ms // 1000))
            time.sleep_ms(_ATTACH_POLL_MS)

    def rssi(self):
        """Signal in dBm, 0 when unknown."""
        return signal_dbm(self.command("AT+CSQ"))

    def time(self):
        """The network's time in Unix seconds, or None."""
        return clock_s(self.command("AT+CCLK?"))

    # PPP

    def dial(self, budget_ms):
        """Hand the UART over to PPP. Raises ModemError."""
        self._send("ATD*99#")
        answer = self._wait_for((b"CONNECT", b"NO CARRIER", b"ERROR"), budget_ms)
        if not answer or not answer.startswith(b"CONNECT"):
            raise ModemError("modem: dialling: %r" % (answer or b"no answer"))
        self._dialled = True

    def hang_up(self):
        """Return to AT commands after PPP. Returns whether the modem answers."""
        self._dialled = False
        if not self._wait_for((b"NO CARRIER",), _HANG_UP_MS):
            time.sleep_ms(_GUARD_MS)
            self._uart.write(b"+++")
            time.sleep_ms(_GUARD_MS)
        return self._answers("AT", _ANSWER_MS)

    # GNSS

    def gnss(self):
        """Switch the receiver on: NMEA sentences come on the UART from now on."""
        self.command("AT+CFUN=0", 5000)  # they share the radio: LTE off
        self.command("AT+CGNSPWR=1")
        self.command("AT+CGNSTST=1")
        self._gnss = True

    def _gnss_off(self):
        if self._gnss:
            self._gnss = False
            self._answers("AT+CGNSTST=0", _ANSWER_MS)
            self.command("AT+CGNSPWR=0")
            self.command("AT+CFUN=1", 5000)

    # The wire

    def _send(self, text):
        self._uart.read()  # unsolicited lines are not this command's answer
        self._line = b""
        self._uart.write(text.encode() + b"\r")

    def _answers(self, text, wait_ms):
        self._send(text)
        return self._wait_for((b"OK",), wait_ms) is not None

    def _wait_for(self, wanted, wait_ms):
        """The first line that starts with one of ``wanted``; None when it does not come in time."""
        start = time.ticks_ms()
        while True:
            line = self._read_line(wait_ms - time.ticks_diff(time.ticks_ms(), start))
            if line is None:
                return None
            if any(line.startswith(word) for word in wanted):
                return line

    def _read_line(self, wait_ms):
        start = time.ticks_ms()
        while True:
            at = self._line.find(b"\n")
            if at >= 0:
                line, self._line = self._line[:at].strip(), self._line[at + 1 :]
                if line:
                    return line
                continue
            if time.ticks_diff(time.ticks_ms(), start) >= wait_ms:
                return None
            more = self._uart.read()
            if more:
                self._line = (self._line + more)[-512:]  # bounds the heap it takes
            else:
                time.sleep_ms(_POLL_MS)


def registration(lines):
    """The state in ``+CEREG: n,state``, -1 without one."""
    for line in lines:
        if line.startswith(b"+CEREG:"):
            parts = line[7:].split(b",")
            if len(parts) > 1 and parts[1].strip().isdigit():
                return int(parts[1])
    return -1


def signal_dbm(lines):
    """dBm of ``+CSQ: rssi,ber``: -113 and 2 a digit; 0 when unknown."""
    for line in lines:
        if line.startswith(b"+CSQ:"):
            digits = line[5:].split(b",")[0].strip()
            if digits.isdigit() and int(digits) != _NO_SIGNAL:
                return -113 + 2 * int(digits)
    return 0


def clock_s(lines):
    """Unix seconds of ``+CCLK: "yy/MM/dd,hh:mm:ss+zz"`` (zz: quarters of an hour), or None.

    Before the network sends the time the modem counts from 1980.
    """
    for line in lines:
        at = line.find(b'"')
        if line.startswith(b"+CCLK:") and len(line) >= at + 21:
            try:
                fields = [int(line[at + 1 + 3 * part : at + 3 + 3 * part]) for part in range(6)]
                quarters = int(line[at + 18 : at + 21])
            except ValueError:
                return None
            year, month, day, hour, minute, second = fields
            if year >= 80:
                return None
            local = unix_of(2000 + year, month, day, hour, minute, second)
            return local - quarters * 900
    return None

"""GNSS receiver with NMEA 0183 on a UART (GGA and RMC, any talker).

``$GPGGA,time,lat,N,lon,E,quality,satellites,hdop,…*hh``; the two hex digits are the exclusive or
of the bytes between ``$`` and ``*``. All figures are integers: floats here have 24 bits.
"""

import time

from micropython import const

from drivers.dates import unix_of

_GOOD_HDOP = const(20)  # tenths: good enough to stop; a worse fix waits for a better one
_WORST_HDOP = const(100)
_METRES_A_HDOP = const(3)  # 3 m with a clear sky
_LONGEST = const(96)  # a sentence has 82 bytes at most
_POLL_MS = const(20)


class Fix:
    """``lat`` and ``lon`` in 1e-5 degree, ``acc`` in m; ``unix_s`` is None without an RMC."""

    def __init__(self, lat, lon, acc, unix_s):
        self.lat = lat
        self.lon = lon
        self.acc = acc
        self.unix_s = unix_s


class GNSS:
    """The receiver on ``uart``, whose reads return at once."""

    def __init__(self, uart):
        self._uart = uart
        self._buffer = b""

    def fix(self, budget_ms):
        """The best :class:`Fix` within the bound, or None; a good one ends the wait."""
        start = time.ticks_ms()
        best = unix_s = None
        while time.ticks_diff(time.ticks_ms(), start) < budget_ms:
            fields = self._sentence()
            if fields is None:
                time.sleep_ms(_POLL_MS)
                continue
            if fields[0][2:] == b"RMC":
                unix_s = moment_s(fields) or unix_s
            elif fields[0][2:] == b"GGA":
                found = position(fields)
                if found and (best is None or found[2] <= best[2]):
                    best = found
            if best and unix_s and best[2] <= _GOOD_HDOP:
                break
        if best is None:
            return None
        lat, lon, hdop = best
        return Fix(lat, lon, accuracy_m(hdop), unix_s)

    def _sentence(self):
        """The fields of the next valid sentence that has arrived, or None."""
        self._buffer += self._uart.read() or b""
        while True:
            end = self._buffer.find(b"\n")
            if end < 0:
                self._buffer = self._buffer[-_LONGEST:]
                return None
            line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
            fields = sentence(line)
            if fields:
                return fields


def sentence(line):
    """The fields of one NMEA line, None unless it is whole and its checksum right."""
    begin, star = line.rfind(b"$"), line.rfind(b"*")
    if begin < 0 or star < begin or len(line) - begin > _LONGEST:
        return None
    total = 0
    for byte in line[begin + 1 : star]:
        total ^= byte
    if line[star + 1 : star + 3].upper() != b"%02X" % total:
        return None
    fields = line[begin + 1 : star].split(b",")
    return fields if len(fields[0]) == 5 else None


def position(fields):
    """(lat, lon in 1e-5 degree, HDOP in tenths) of a GGA, None without a fix."""
    if len(fields) < 9 or fields[6] in (b"", b"0"):
        return None
    lat, lon = degrees_e5(fields[2], fields[3], 2), degrees_e5(fields[4], fields[5], 3)
    hdop = tenths(fields[8])
    if lat is None or lon is None or hdop is None or not 0 < hdop <= _WORST_HDOP:
        return None
    if abs(lat) > 9_000_000 or abs(lon) > 18_000_000:
        return None
    return lat, lon, hdop


def degrees_e5(digits, side, whole):
    """1e-5 degree of ``ddmm.mmmm`` (``whole`` digits of degrees) and its side; None if wrong."""
    minutes, _, fraction = digits[whole:].partition(b".")
    if side not in (b"N", b"S", b"E", b"W") or len(minutes) != 2:
        return None
    if not (digits[:whole].isdigit() and minutes.isdigit() and (fraction + b"0").isdigit()):
        return None
    minutes_e5 = int(minutes) * 100_000 + int((fraction + b"00000")[:5])
    value = int(digits[:whole]) * 100_000 + (minutes_e5 + 30) // 60
    return -value if side in (b"S", b"W") else value


def tenths(digits):
    """Tenths of a decimal number, rounded down; None when it is none."""
    whole, _, fraction = digits.partition(b".")
    if not whole.isdigit() or not (fraction + b"0").isdigit():
        return None
    return int(whole) * 10 + int((fraction + b"0")[:1])


def accuracy_m(hdop):
    """Metres of an HDOP in tenths, rounded up."""
    return (hdop * _METRES_A_HDOP + 9) // 10


def moment_s(fields):
    """Unix seconds of a valid RMC, else None."""
    if len(fields) < 10 or fields[2] != b"A":
        return None
    clock, date = fields[1][:6], fields[9]
    if len(clock) != 6 or len(date) != 6 or not (clock + date).isdigit():
        return None
    hour, minute, second = (int(clock[at : at + 2]) for at in (0, 2, 4))
    day, month, year = (int(date[at : at + 2]) for at in (0, 2, 4))
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second <= 60):
        return None
    return unix_of(2000 + year, month, day, hour, minute, second)

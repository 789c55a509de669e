"""Writes iCalendar (RFC 5545): escaped text, folded lines, and the time zone that events name."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_LONGEST = 75
"""Octets of a line without its end (section 3.1)."""
_DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One event. ``start``: Unix s; it lasts ``minutes`` of real time, whatever clocks do."""

    uid: str
    start: float
    minutes: int
    summary: str


def write(
    name: str, events: Sequence[CalendarEvent], made: float, zone: ZoneInfo
) -> bytes:  # fmt: skip
    """A calendar with this name, made at ``made`` (Unix s)."""
    starts = [event.start for event in events] or [made]
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Noria//Rota//EN", "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH", f"NAME:{escape(name)}", f"X-WR-CALNAME:{escape(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H",
        *_zone(zone, min(starts) - _DAY_S, max(starts) + 2 * _DAY_S),
    ]  # fmt: skip
    for event in events:
        lines += [
            "BEGIN:VEVENT", f"UID:{escape(event.uid)}", f"DTSTAMP:{_utc(made)}",
            f"DTSTART;TZID={zone.key}:{_local(event.start, zone)}", f"DURATION:PT{event.minutes}M",
            f"SUMMARY:{escape(event.summary)}", "END:VEVENT",
        ]  # fmt: skip
    lines.append("END:VCALENDAR")
    return b"".join(_folded(lines))


def escape(text: str) -> str:
    """A TEXT value (section 3.3.11): backslash, semicolon, comma and line ends escaped."""
    plain = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    lines = plain.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
    return "".join(c for c in lines if c >= " " and c != "\x7f")


def _folded(lines: Iterable[str]) -> Iterator[bytes]:
    """Each line ended by CRLF, longer ones folded between characters."""
    for line in lines:
        part = b""
        for letter in line:
            octets = letter.encode()
            if len(part) + len(octets) > _LONGEST:
                yield part + b"\r\n"
                part = b" "
            part += octets
        yield part + b"\r\n"


def _zone(zone: ZoneInfo, start: float, end: float) -> Iterator[str]:
    """The offsets in force between two moments (Unix s), each with its begin."""
    yield from ("BEGIN:VTIMEZONE", f"TZID:{zone.key}")
    first = datetime.fromtimestamp(start, zone)
    yield from _observance(first, first, "19700101T000000")
    for at in _transitions(zone, start, end):
        before = datetime.fromtimestamp(at - 1, zone)
        onset = (datetime.fromtimestamp(at, UTC) + _offset(before)).strftime("%Y%m%dT%H%M%S")
        yield from _observance(before, datetime.fromtimestamp(at, zone), onset)
    yield "END:VTIMEZONE"


def _observance(before: datetime, after: datetime, onset: str) -> Iterator[str]:
    """``onset`` is by the clock before it (section 3.6.5)."""
    kind = "DAYLIGHT" if after.dst() else "STANDARD"
    yield from (
        f"BEGIN:{kind}", f"DTSTART:{onset}", f"TZOFFSETFROM:{_sign(_offset(before))}",
        f"TZOFFSETTO:{_sign(_offset(after))}", f"TZNAME:{after.tzname()}", f"END:{kind}",
    )  # fmt: skip


def _transitions(zone: ZoneInfo, start: float, end: float) -> Iterator[float]:
    """The whole seconds at which the offset changes; no zone changes twice in a day."""
    at = start
    while at < end:
        low, high = int(at), int(min(at + _DAY_S, end))
        before = _offset(datetime.fromtimestamp(low, zone))
        if _offset(datetime.fromtimestamp(high, zone)) != before:
            while high - low > 1:
                middle = (low + high) // 2
                same = _offset(datetime.fromtimestamp(middle, zone)) == before
                low, high = (middle, high) if same else (low, middle)
            yield float(high)
        at += _DAY_S


def _offset(local: datetime) -> timedelta:
    return local.utcoffset() or timedelta()


def _sign(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    sign, hours = "-" if minutes < 0 else "+", abs(minutes) // 60
    return f"{sign}{hours:02}{abs(minutes) % 60:02}"


def _local(at: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at, zone).strftime("%Y%m%dT%H%M%S")


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")

"""Local time at a site: people draw water by their own clock, also when that clock is changed.

The rules of time zones are data of the system or of the package tzdata: with the same data, the
same zone and moment always have the same offset.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

HOUR_S = 3600.0
WEEK_H = 7 * 24
_MONDAY = 4 * 24  # 5 January 1970, in hours


def is_timezone(name: str) -> bool:
    """Whether ``name`` is an IANA time zone that this system knows."""
    return _zone(name) is not None


@lru_cache(maxsize=4096)
def offset_s(timezone: str, hour: int) -> int:
    """Seconds that local time is ahead of UTC in the middle of a UTC hour since 1970.

    Clocks change on the full UTC hour in Europe. A zone that is not known counts as UTC.
    """
    zone = _zone(timezone)
    if zone is None:
        return 0
    offset = datetime.fromtimestamp((hour + 0.5) * HOUR_S, UTC).astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def hour_of_week(timezone: str, hour: int) -> int:
    """The local hour in which a UTC hour since 1970 has its middle: 0 is Monday 0:00 to 1:00."""
    return int(hour + 0.5 + offset_s(timezone, hour) / HOUR_S - _MONDAY) % WEEK_H


def hours_of_week(timezone: str, first: int, count: int) -> Sequence[int]:
    """``hour_of_week`` of ``count`` UTC hours, at most 168, from the hour ``first`` on.

    A ``range``, whose numbers may exceed 167, unless clocks are changed in between.
    """
    start = hour_of_week(timezone, first)
    if offset_s(timezone, first) == offset_s(timezone, first + count - 1):
        return range(start, start + count)
    return [hour_of_week(timezone, hour) for hour in range(first, first + count)]


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None

"""The port for the formats of other projects, of which four are implemented."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast


class Unreadable(ValueError):
    """A payload is not in the project's format; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Uplink:
    """One decoded payload.

    The mapping's paths point into ``document``. ``at`` is the network's receive time (Unix s) and
    ``identity`` the bytes that only a redelivery repeats, where the format has them. ``rssi_dbm``
    is that of the best receiver.
    """

    document: object
    at: float | None = None
    identity: bytes | None = None
    rssi_dbm: float | None = None


class Adapter(Protocol):
    """One project's format."""

    @property
    def name(self) -> str:
        """The value of ``from`` in a mapping."""
        ...

    @property
    def has_time(self) -> bool:
        """Whether every message carries its receive time."""
        ...

    @property
    def form(self) -> str:
        """The form of its topics, for people."""
        ...

    def fits(self, topic: str) -> bool:
        """Whether ``topic`` has that form."""
        ...

    def open(self, payload: bytes) -> Uplink:
        """Decode one payload. Raises Unreadable."""
        ...


def json_object(payload: bytes) -> Mapping[str, object]:
    """The payload as a JSON object. Raises Unreadable."""
    try:
        found: object = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise Unreadable("not a JSON object")
    return cast(dict[str, object], found)


def moment(value: object) -> float | None:
    """An RFC 3339 time as Unix s; None for anything else, or without an offset."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.timestamp() if found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def strongest(receivers: object) -> float | None:
    """The largest ``rssi`` of a list of receivers, dBm."""
    if not isinstance(receivers, list):
        return None
    found: list[float] = []
    for receiver in cast(list[object], receivers):
        rssi: object = (
            cast(dict[str, object], receiver).get("rssi") if isinstance(receiver, dict) else 0
        )
        if isinstance(rssi, int | float) and not isinstance(rssi, bool) and -200 < rssi < 0:
            found.append(rssi)
    return max(found, default=None)


def number(value: object) -> float | None:
    """A finite number, also written as text; None for null and NaN. Raises Unreadable."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Unreadable(f"{str(value)[:40]!r} is not a number")
    try:
        found = float(value)
    except (ValueError, OverflowError):
        raise Unreadable(f"{str(value)[:40]!r} is not a number") from None
    if math.isinf(found):
        raise Unreadable("infinite is not a number that a sensor measures")
    return None if math.isnan(found) else found

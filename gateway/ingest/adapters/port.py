"""The port: how one project's MQTT messages are opened. Four implementations ship."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast


class Unreadable(ValueError):
    """A payload is not what this project publishes; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Uplink:
    """One payload, opened.

    ``document`` is what paths of the mapping point into. ``at`` (Unix s) is when the network
    heard it, where the format tells. ``identity`` are bytes that only a redelivery of the same
    message repeats, where the format has such. ``rssi_dbm`` is the best receiver's.
    """

    document: object
    at: float | None = None
    identity: bytes | None = None
    rssi_dbm: float | None = None


class Adapter(Protocol):
    """One project's format. ``tells_time``: its messages say when they were heard."""

    @property
    def name(self) -> str:
        """What a mapping's ``from`` calls it."""
        ...

    @property
    def tells_time(self) -> bool:
        """Whether every message carries the time at which it was heard."""
        ...

    @property
    def form(self) -> str:
        """How its topics look, for people."""
        ...

    def fits(self, topic: str) -> bool:
        """Whether ``topic`` can be one of this project's."""
        ...

    def open(self, payload: bytes) -> Uplink:
        """Open one payload. Raises Unreadable."""
        ...


def json_object(payload: bytes) -> Mapping[str, Any]:
    """The JSON object that a payload is. Raises Unreadable."""
    try:
        found: object = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise Unreadable("not a JSON object")
    return cast(dict[str, Any], found)


def moment(value: object) -> float | None:
    """An RFC 3339 time as Unix s; None where it is none, or has no offset."""
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
    for receiver in cast(list[Any], receivers):
        rssi: object = (
            cast(dict[str, Any], receiver).get("rssi") if isinstance(receiver, dict) else 0
        )
        if isinstance(rssi, int | float) and not isinstance(rssi, bool) and -200 < rssi < 0:
            found.append(rssi)
    return max(found, default=None)


def number(value: object) -> float | None:
    """A finite number, also where it stands as text; None for null and NaN. Raises Unreadable."""
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

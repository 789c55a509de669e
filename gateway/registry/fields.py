"""Checks of one value in a registry file: its type, its range, the remedy when it is wrong.

A check takes a decoded TOML value and returns the domain's value, or raises ``FieldError`` with
the remedy. The caller adds file, table, row and field.
"""

import math
import re
import secrets
from collections.abc import Callable, Collection
from datetime import datetime
from typing import cast

from gateway.domain.local_time import is_timezone

Check = Callable[[object], object]

_NAMES = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RANDOM = re.compile(r"[a-z2-7]{6,16}")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_LATEST = 253402300799.0  # end of the year 9999


class FieldError(ValueError):
    """A value that is not valid; the text is the remedy."""


def name(value: object) -> str:
    """An id of a site or tank: part of topics and addresses."""
    if not isinstance(value, str) or not _NAMES.fullmatch(value):
        raise FieldError("use 1-64 letters, digits, dots, dashes or underscores")
    return value


def random_id(value: object) -> str:
    """A device's id or a random id, as WIRE.md section 1 spells them."""
    if not isinstance(value, str) or not _RANDOM.fullmatch(value):
        raise FieldError("use 6-16 of a-z and 2-7, drawn at random ('noria device new' draws one)")
    return value


def draw_id(taken: Collection[str]) -> str:
    """A new random id (of a device, tank or site) of 8 characters."""
    while (drawn := "".join(secrets.choice(_ALPHABET) for _ in range(8))) in taken:
        pass
    return drawn


def words(value: object) -> str:
    """A short text for people, on one line."""
    if not isinstance(value, str) or len(value) > 120 or not value.isprintable():
        raise FieldError("use one line of at most 120 characters")
    return value.strip()


def timezone(value: object) -> str:
    """An IANA time zone that this system knows."""
    if not isinstance(value, str) or not is_timezone(value):
        raise FieldError("use a name such as Europe/Paris; 'timedatectl list-timezones' has all")
    return value


def flag(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise FieldError("use true or false")
    return value


def key(value: object) -> bytes:
    """32 bytes in hex."""
    if not isinstance(value, str):
        raise FieldError("use 64 hex digits (32 bytes)")
    try:
        raw = bytes.fromhex(value)
    except ValueError:
        raise FieldError("use 64 hex digits (32 bytes)") from None
    if len(raw) != 32 or len(value) != 64:
        raise FieldError(f"use 64 hex digits (32 bytes), not {len(value)} characters")
    return raw


def moment(value: object) -> float:
    """A TOML date-time with its offset, or Unix seconds."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise FieldError("add the offset from UTC, for example 2026-11-02T09:00:00Z")
        return value.timestamp()
    try:
        return number(0, _LATEST)(value)
    except FieldError:
        raise FieldError("use a date-time such as 2026-11-02T09:00:00Z, or Unix seconds") from None


def choice(*known: str) -> Callable[[object], str]:
    """A check for one of these words."""

    def check(value: object) -> str:
        if not isinstance(value, str) or value not in known:
            raise FieldError(f"use one of {', '.join(known)}")
        return value

    return check


def whole(lowest: int, highest: int) -> Callable[[object], int]:
    """A check for a whole number in this range."""

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise FieldError(f"use a whole number from {lowest} to {highest}")
        return value

    return check


def number(lowest: float, highest: float) -> Callable[[object], float]:
    """A check for a finite number in this range."""

    def check(value: object) -> float:
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
            or not lowest <= value <= highest
        ):
            raise FieldError(f"use a number from {lowest:g} to {highest:g}")
        return float(value)

    return check


def table(value: object) -> tuple[tuple[float, float], ...]:
    """A calibration table [[mm, litres], …]: mm rising, litres never falling, not all 0."""
    remedy = "use at least two pairs [mm, litres], both rising, such as [[0, 0], [100, 107]]"
    items = cast(list[object], value) if isinstance(value, list) else []
    pairs: list[tuple[float, float]] = []
    for item in items:
        pair = cast(list[object], item) if isinstance(item, list) else []
        if len(pair) != 2:
            raise FieldError(remedy)
        level_mm, litres = (number(0, 1_000_000)(part) for part in pair)
        if pairs and not (level_mm > pairs[-1][0] and litres >= pairs[-1][1]):
            raise FieldError(remedy)
        pairs.append((level_mm, litres))
    if len(pairs) < 2 or pairs[-1][1] <= 0:
        raise FieldError(remedy)
    return tuple(pairs)

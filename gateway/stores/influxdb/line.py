"""Readings as line protocol, and back.

Formatted here: 1 us a reading of a message of ten, where ``Point`` objects take 34. A reading's
nanoseconds carry boot % 1000, seq % 1000 and i, so that two readings of one second get two rows;
the exact event time is the field ``at``.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from gateway.domain.inputs import Reading

_TAG = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", "\n": " ", "\r": " "})
_TEXT = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": " ", "\r": " "})
_SHARED = 8  # the first fields of a Reading, which the readings of one message share
_DIGITS = tuple(f"{n:03d}" for n in range(1000))
Row = dict[str, Any]
"""One row of an InfluxQL result, by column; its types depend on the query."""
Value = float | int | str | bool | None


class Rids(NamedTuple):
    """The random ids of a tank and of its site; ``constant`` where neither ever changed."""

    tank: str
    site: str
    constant: bool = True


def key_ns(reading: Reading) -> int:
    """The timestamp of a reading's row, in nanoseconds."""
    second = math.floor(reading.at) * 1_000_000_000
    return second + reading.boot % 1000 * 1_000_000 + reading.seq % 1000 * 1000 + reading.i % 1000


def tag(text: str) -> str:
    """A tag's value, escaped; a trailing backslash would swallow the comma after it."""
    if text.isalnum():  # as ids are: nothing to escape, and a tenth of the cost
        return text
    return text.rstrip("\\").translate(_TAG) or "-"


def _text(text: str) -> str:
    """The text between the quotes of a string field, escaped."""
    return text if text.isalnum() else text.translate(_TEXT)


def quoted(text: str) -> str:
    """An InfluxQL string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def point(measurement: str, tags: Mapping[str, str], fields: Mapping[str, Value], ns: int) -> str:
    """One line of any measurement. Fields that are None are left out; at least one is not."""
    head = "".join(f",{name}={tag(value)}" for name, value in tags.items())
    body = ",".join(f"{name}={_field(v)}" for name, v in fields.items() if v is not None)
    return f"{measurement}{head} {body} {ns}"


def append_readings(
    readings: Iterable[Reading], place_of: Callable[[Reading], tuple[Rids, list[str]]]
) -> None:
    """Append a line for each reading to the list that ``place_of`` returns, with its random ids.

    Tags are random ids, fields every value that is not None. The part that the readings of one
    message share is formatted once.
    """
    lines: list[str] = []
    shared: tuple[object, ...] | None = None
    head = fields = nanos = ""
    for reading in readings:
        if reading[:_SHARED] != shared:
            rids, lines = place_of(reading)
            head, fields, nanos = _shared(reading, rids)
            shared = reading[:_SHARED] if rids.constant else None
        (
            _, _, _, _, _, _, _, _, i, at, quantity, value, spread, valid, tried, temperature_dc,
            volume_l, sd_l, fault,
        ) = reading  # fmt: skip
        burst = _burst(spread, valid, tried, sd_l)
        if value is None or temperature_dc is None or volume_l is None or fault is not None:
            burst = _present(value, temperature_dc, volume_l, fault) + burst
        else:  # most readings
            burst = f",value={value}i,temperature_dc={temperature_dc}i,volume_l={volume_l!r}{burst}"
        second = int(at)
        if second != at or second < 1:
            lines.append(f'{head}{at!r}{fields}{i}i,quantity="{quantity}"{burst} {key_ns(reading)}')
            continue
        at_text = str(second)
        time = f"{at_text}{nanos}{_DIGITS[i % 1000]}"
        lines.append(f'{head}{at_text}{fields}{i}i,quantity="{quantity}"{burst} {time}')


def _shared(reading: Reading, rids: Rids) -> tuple[str, str, str]:
    """The tags, sorted by name, or InfluxDB would sort them; the fields that the readings of one
    message share; the message's part of the nanoseconds."""
    _tank, device, era, boot, seq, channel, received, estimated = reading[:_SHARED]
    return (
        f"reading,ch={channel},device={tag(device)},site={rids.site},tank={rids.tank} at=",
        f',received={received!r},era="{_text(era)}",boot={boot}i,seq={seq}i,'
        f"estimated={'t' if estimated else 'f'},i=",
        f"{_DIGITS[boot % 1000]}{_DIGITS[seq % 1000]}",
    )


def _present(
    value: int | None, temperature_dc: int | None, volume_l: float | None, fault: str | None
) -> str:
    fields = (
        (value, f",value={value}i"),
        (temperature_dc, f",temperature_dc={temperature_dc}i"),
        (volume_l, f",volume_l={volume_l!r}"),
        (fault, f',fault="{_text(fault or "")}"'),
    )
    return "".join(text for field, text in fields if field is not None)


@lru_cache(maxsize=1024)
def _burst(spread: int | None, valid: int | None, tried: int | None, sd_l: float | None) -> str:
    """Cached: a sensor's bursts repeat a few values."""
    fields = (
        (spread, f",spread={spread}i"),
        (valid, f",valid={valid}i"),
        (tried, f",tried={tried}i"),
        (sd_l, f",sd_l={sd_l!r}"),
    )
    return "".join(text for field, text in fields if field is not None)


def reading_of(row: Row, tank: str) -> Reading:
    """The reading in a row of ``SELECT * FROM reading``."""
    values = {**row, "tank": tank, "channel": int(row["ch"])}
    return msgspec.convert([values.get(name) for name in Reading._fields], Reading)


def _field(value: Value) -> str:
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, int):
        return f"{value}i"
    return repr(value) if isinstance(value, float) else f'"{_text(str(value))}"'

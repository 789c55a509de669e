"""Line protocol by hand (a reading is 1 us of a message of ten; ``Point`` objects 34), and back.

A reading's nanoseconds carry boot % 1000, seq % 1000 and i, so that two readings of one second
both survive; its exact event time is the field ``at``.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from gateway.domain.inputs import Reading

_TAG = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", "\n": " ", "\r": " "})
_TEXT = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": " ", "\r": " "})
_INTEGERS = ("value", "spread", "valid", "tried", "temperature_dc")
_FLOATS = ("volume_l", "sd_l")
_SHARED = 8  # of a Reading's values: so many are its message's
_THREE = tuple(f"{n:03d}" for n in range(1000))
Row = dict[str, Any]
"""One row of an answer to InfluxQL."""
Value = float | int | str | bool | None


class Rids(NamedTuple):
    """The random ids of a tank and of its site; ``lasting`` where they were the same all along."""

    tank: str
    site: str
    lasting: bool = True


def key_ns(reading: Reading) -> int:
    """The nanosecond under which a reading is kept."""
    return _ns(reading.at, reading.boot, reading.seq, reading.i)


def _ns(at: float, boot: int, seq: int, i: int) -> int:
    return math.floor(at) * 1_000_000_000 + boot % 1000 * 1_000_000 + seq % 1000 * 1000 + i % 1000


def tag(text: str) -> str:
    """A tag's value, escaped; a trailing backslash would swallow the comma after it."""
    if text.isalnum():  # ids are: nothing to escape in them, and this costs a tenth
        return text
    return text.rstrip("\\").translate(_TAG) or "-"


def _text(text: str) -> str:
    """What stands between the quotes of a string field."""
    return text if text.isalnum() else text.translate(_TEXT)


def quoted(text: str) -> str:
    """A text as an InfluxQL string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def point(measurement: str, tags: Mapping[str, str], fields: Mapping[str, Value], ns: int) -> str:
    """One line of any measurement. Fields that are None are left out; at least one is not."""
    head = "".join(f",{name}={tag(value)}" for name, value in tags.items())
    body = ",".join(f"{name}={_field(v)}" for name, v in fields.items() if v is not None)
    return f"{measurement}{head} {body} {ns}"


def reading_line(reading: Reading, tank_rid: str, site_rid: str) -> str:
    """A reading as one line: tags are random ids, fields every value that is there."""
    lines: list[str] = []
    put_readings([reading], lambda _: (Rids(tank_rid, site_rid), lines))
    return lines[0]


def put_readings(
    readings: Iterable[Reading], place_of: Callable[[Reading], tuple[Rids, list[str]]]
) -> None:
    """Each as one line in the list that ``place_of`` gives, with the random ids that it gives.

    What the readings of one message share is made once.
    """
    lines: list[str] = []
    shared: tuple[object, ...] | None = None
    head = said = place = ""
    for reading in readings:
        if reading[:_SHARED] != shared:
            rids, lines = place_of(reading)
            head, said, place = _shared(reading, rids)
            shared = reading[:_SHARED] if rids.lasting else None
        (
            _, _, _, _, _, _, _, _, i, at, quantity, value, spread, valid, tried, temperature_dc,
            volume_l, sd_l, fault,
        ) = reading  # fmt: skip
        burst = _burst(spread, valid, tried, sd_l)
        if value is None or temperature_dc is None or volume_l is None or fault is not None:
            burst = _given(value, temperature_dc, volume_l, fault) + burst
        else:  # most; at once
            burst = f",value={value}i,temperature_dc={temperature_dc}i,volume_l={volume_l!r}{burst}"
        second = int(at)
        if second != at or second < 1:
            lines.append(f'{head}{at!r}{said}{i}i,quantity="{quantity}"{burst} {key_ns(reading)}')
            continue
        when = str(second)
        lines.append(
            f'{head}{when}{said}{i}i,quantity="{quantity}"{burst} {when}{place}{_THREE[i % 1000]}'
        )


def _shared(reading: Reading, rids: Rids) -> tuple[str, str, str]:
    """The tags, in the order of their names, since InfluxDB sorts them otherwise; the fields that
    are the message's; its part of the nanoseconds."""
    _tank, device, era, boot, seq, channel, received, estimated = reading[:_SHARED]
    return (
        f"reading,ch={channel},device={tag(device)},site={rids.site},tank={rids.tank} at=",
        f',received={received!r},era="{_text(era)}",boot={boot}i,seq={seq}i,'
        f"estimated={'t' if estimated else 'f'},i=",
        f"{_THREE[boot % 1000]}{_THREE[seq % 1000]}",
    )


def _given(
    value: int | None, temperature_dc: int | None, volume_l: float | None, fault: str | None
) -> str:
    said = "" if value is None else f",value={value}i"
    if temperature_dc is not None:
        said += f",temperature_dc={temperature_dc}i"
    if volume_l is not None:
        said += f",volume_l={volume_l!r}"
    return said if fault is None else f'{said},fault="{_text(fault)}"'


@lru_cache(maxsize=1024)
def _burst(spread: int | None, valid: int | None, tried: int | None, sd_l: float | None) -> str:
    """Remembered: most bursts of a sensor are like one of a few."""
    said = "" if spread is None else f",spread={spread}i"
    if valid is not None:
        said += f",valid={valid}i"
    if tried is not None:
        said += f",tried={tried}i"
    return said if sd_l is None else f"{said},sd_l={sd_l!r}"


def reading_of(row: Mapping[str, Any], tank: str) -> Reading:
    """A row of ``SELECT * FROM reading`` as the reading that was written."""
    return Reading(
        tank=tank,
        device=row["device"],
        era=row["era"],
        boot=int(row["boot"]),
        seq=int(row["seq"]),
        i=int(row["i"]),
        channel=int(row["ch"]),
        at=float(row["at"]),
        received=float(row["received"]),
        estimated=bool(row["estimated"]),
        quantity=row["quantity"],
        **{name: _optional(int, row.get(name)) for name in _INTEGERS},
        **{name: _optional(float, row.get(name)) for name in _FLOATS},
        fault=row.get("fault"),
    )


def _optional(kind: Any, value: Any) -> Any:
    return None if value is None else kind(value)


def _field(value: Value) -> str:
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, int):
        return f"{value}i"
    return repr(value) if isinstance(value, float) else f'"{_text(str(value))}"'

"""Line protocol by hand (2-4 us a point; ``Point`` objects cost 34), and back.

A reading's nanoseconds carry boot % 1000, seq % 1000 and i, so that two readings of one second
both survive; its exact event time is the field ``at``.
"""

import math
from collections.abc import Mapping
from typing import Any

from gateway.domain.heard import Reading

_TAG = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", "\n": " ", "\r": " "})
_TEXT = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": " ", "\r": " "})
_INTEGERS = ("value", "spread", "valid", "tried", "temperature_dc")
_FLOATS = ("volume_l", "sd_l")
Row = dict[str, Any]
"""One row of an answer to InfluxQL."""
Value = float | int | str | bool | None


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
    (
        _tank, device, era, boot, seq, i, channel, at, received, estimated, quantity, value, spread,
        valid, tried, temperature_dc, volume_l, sd_l, fault,
    ) = reading  # fmt: skip
    said = (
        f"reading,tank={tank_rid},site={site_rid},device={tag(device)},ch={channel}"
        f' at={at!r},received={received!r},era="{_text(era)}",boot={boot}i,'
        f'seq={seq}i,i={i}i,estimated={"t" if estimated else "f"},quantity="{quantity}"'
    )
    if value is not None:
        said += f",value={value}i"
    if spread is not None:
        said += f",spread={spread}i"
    if valid is not None:
        said += f",valid={valid}i"
    if tried is not None:
        said += f",tried={tried}i"
    if temperature_dc is not None:
        said += f",temperature_dc={temperature_dc}i"
    if volume_l is not None:
        said += f",volume_l={float(volume_l)!r}"
    if sd_l is not None:
        said += f",sd_l={float(sd_l)!r}"
    if fault is not None:
        said += f',fault="{_text(fault)}"'
    return f"{said} {_ns(at, boot, seq, i)}"


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

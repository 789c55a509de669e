"""Readings as line protocol, and back.

Formatted here: 4 us a reading, where ``Point`` objects take 34. A reading's nanoseconds carry
boot % 1000, seq % 1000 and i, so that two readings of one second get two rows; the exact event time
is the field ``at``.
"""

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.domain.inputs import Reading

_TAG = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", "\n": " ", "\r": " "})
_TEXT = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": " ", "\r": " "})
_MEASURED = (
    ("value", "i"), ("spread", "i"), ("valid", "i"), ("tried", "i"), ("temperature_dc", "i"),
    ("volume_l", ""), ("sd_l", ""),
)  # fmt: skip
"""The measured fields of a Reading but ``fault``, in their order, with the suffix of their type."""
Row = dict[str, Any]
"""One row of an InfluxQL result, by column; its types depend on the query."""
Value = float | int | str | bool | None


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


def reading_line(reading: Reading, tank_rid: str, site_rid: str) -> str:
    """The line of one reading. Tags are random ids, fields every value that is not None.

    The tags are sorted by name, or InfluxDB would sort them.
    """
    (
        _, device, era, boot, seq, channel, received, estimated, i, at, quantity, *measured, fault,
    ) = reading  # fmt: skip
    values = zip(_MEASURED, measured, strict=True)
    fields = "".join([f",{name}={v!r}{suffix}" for (name, suffix), v in values if v is not None])
    if fault is not None:
        fields += f',fault="{_text(fault)}"'
    return (
        f"reading,ch={channel},device={tag(device)},site={site_rid},tank={tank_rid} "
        f'at={at!r},received={received!r},era="{_text(era)}",boot={boot}i,seq={seq}i,'
        f'estimated={"t" if estimated else "f"},i={i}i,quantity="{quantity}"{fields} '
        f"{key_ns(reading)}"
    )


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

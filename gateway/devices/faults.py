"""Faults that devices report of their own parts (event ``fault``), the newest of each part.

A node sends its backlog newest first, so what arrives last is not what happened last.
"""

from collections.abc import Iterator
from dataclasses import astuple, dataclass

import sqlalchemy as sa

from gateway.database.engine import upsert
from gateway.database.tables import metadata
from gateway.domain.entry import Entry
from gateway.domain.message import Message

PARTS = (
    "sensor", "motion", "tilt", "lid", "battery", "recovery", "config", "main", "radio", "bus",
    "flash", "sig",
)  # fmt: skip
"""The parts of the node that WIRE.md's event ``fault`` may name."""
OTHER = "other"
"""Any further part: a device may not make rows without bound."""
OVER = "ok"
_LONGEST, _MOST = 40, 1_000_000

device_fault = sa.Table(
    "device_fault",
    metadata,
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("part", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, nullable=False),  # ok: it works again
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("at", sa.Float, nullable=False),  # Unix s, of the event as far as its clock is right
    sa.Column("era", sa.Text, nullable=False),
    sa.Column("boot", sa.Integer, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("item", sa.Integer, nullable=False),  # its place in the message
)


@dataclass(frozen=True, slots=True)
class DeviceFault:
    """A part of a device, and what is wrong with it (``code``), ``times`` over, at Unix s ``at``.

    Its place in the device's order of events: ``era``, ``boot``, ``seq`` and ``item``.
    """

    device: str
    part: str
    code: str
    times: int
    at: float
    era: str
    boot: int
    seq: int
    item: int


def reported(message: Message, entry: Entry) -> Iterator[DeviceFault]:
    """The faults in a journaled message, and the parts that work again, in its order."""
    for item, event in enumerate(message.events):
        part, code, times = (event.fields.get(name) for name in ("s", "c", "n"))
        if event.kind != "fault" or not isinstance(part, str) or not isinstance(code, str):
            continue
        if part not in PARTS:
            part, code = OTHER, f"{part} {code}"
        count = min(max(times, 1), _MOST) if isinstance(times, int) else 1
        sealed = float(message.t) if message.t else entry.received
        yield DeviceFault(
            message.device, part, code[:_LONGEST], count,
            min(sealed - event.age_s, entry.received), message.era, message.boot, message.seq, item,
        )  # fmt: skip


def save_newer(connection: sa.Connection, fault: DeviceFault) -> None:
    """Store ``fault`` unless a later one of its part is known: by number within an era, else by
    time."""
    where = (device_fault.c.device == fault.device) & (device_fault.c.part == fault.part)
    found = connection.execute(sa.select(device_fault).where(where)).one_or_none()
    if found is not None:
        stored = DeviceFault(*found)
        if _order(stored, fault) >= _order(fault, stored):
            return
    upsert(connection, device_fault, [astuple(fault)])


def _order(one: DeviceFault, other: DeviceFault) -> tuple[float, ...]:
    return (one.boot, one.seq, one.item) if one.era == other.era else (one.at,)


def by_device(engine: sa.Engine) -> dict[str, list[DeviceFault]]:
    """The parts of each device that do not work, the latest first."""
    query = sa.select(device_fault).where(device_fault.c.code != OVER)
    found: dict[str, list[DeviceFault]] = {}
    with engine.connect() as connection:
        for row in connection.execute(query.order_by(device_fault.c.at.desc())):
            fault = DeviceFault(*row)
            found.setdefault(fault.device, []).append(fault)
    return found

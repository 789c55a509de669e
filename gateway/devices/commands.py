"""Wanting something else of a device: settings, an order for once, a release."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from gateway.database.tables import fact
from gateway.devices import state
from gateway.devices.release import Release
from gateway.devices.state import Desired
from gateway.devices.tables import desired, release
from gateway.domain.registry import Registry
from gateway.errors import OrderError

ORDERS = ("reboot", "recover", "resend")
_KEPT = 8
"""A node remembers the last eight orders that it did; more would be done twice."""

_SECONDS = (30, 604_800)
_CHANGE = (1, 2**31 - 1)
MOMENT = (1_767_225_600, 4_102_444_799)  # what a node takes for a time at all
SETTINGS: Mapping[str, tuple[int, int]] = {
    "interval_s": _SECONDS,
    "report_s": _SECONDS,
    "change_mm": _CHANGE,
    "change_g": (500, _CHANGE[1]),
    "move_from": MOMENT,
    "move_to": MOMENT,
}
"""What ``set`` may name, with its lowest and highest value; a node checks the same."""
_WHY: Mapping[str, str] = {"change_g": ", since cells creep by up to 300 g under a steady load"}


def settings(
    connection: sa.Connection, registry: Registry, device: str, given: Mapping[str, int | None],
    now: float,
) -> Desired:  # fmt: skip
    """Want these settings beside those wanted already; None gives one back to the board's own.

    ``now`` is Unix s. Raises OrderError.
    """
    for name, value in given.items():
        if name not in SETTINGS:
            raise OrderError(f"{name}: a device knows {', '.join(SETTINGS)}")
        low, high = SETTINGS[name]
        if value is not None and not low <= value <= high:
            raise OrderError(f"{name} = {value}: use {low} to {high}{_WHY.get(name, '')}")
    before = _before(connection, registry, device)
    wanted = {**before.settings, **given}
    whole = {name: value for name, value in wanted.items() if value is not None}
    if ("move_from" in whole) != ("move_to" in whole) or (
        whole.get("move_from", 0) > whole.get("move_to", 0)
    ):
        raise OrderError("move_from and move_to go together, and move_to is the later one")
    return _save(connection, before, now, settings=whole)


def order(
    connection: sa.Connection, registry: Registry, device: str, do: str, now: float,
    start: tuple[str, int, int] | None = None,
) -> Desired:  # fmt: skip
    """Order something once: one of ORDERS. ``start`` (era, boot, seq) is for ``resend`` alone.

    Raises OrderError.
    """
    if do not in ORDERS:
        raise OrderError(f"{do!r}: order {', '.join(ORDERS)}")
    if (do == "resend") != (start is not None):
        raise OrderError("resend, and it alone, needs where it starts: --from ERA:BOOT:SEQ")
    before = _before(connection, registry, device)
    one: dict[str, Any] = {"id": secrets.token_hex(4), "do": do}
    if start is not None:
        one["from"] = list(start)
    return _save(connection, before, now, order=one)


def update(
    connection: sa.Connection, registry: Registry, device: str, wanted: Release, now: float
) -> Desired:
    """Want a release, now or again. Raises OrderError."""
    before = _before(connection, registry, device)
    bundle = wanted.bundle()
    name = hashlib.sha256(bundle).hexdigest()
    if connection.scalar(sa.select(release.c.id).where(release.c.id == name)) is None:
        connection.execute(sa.insert(release).values(id=name, bundle=bundle))
    return _save(connection, before, now, release=name)


def _before(connection: sa.Connection, registry: Registry, device: str) -> Desired:
    row = registry.device(device)
    if row is None:
        raise OrderError(f"device = {device!r}: no device has this id: see 'noria device list'")
    if row.key is None or row.revoked:
        what = "revoked" if row.revoked else "a third-party feed without a key"
        raise OrderError(f"device = {device!r}: it is {what}: nothing can be told to it")
    # A write that changes nothing takes SQLite's lock before we read: no order races another.
    connection.execute(sa.delete(desired).where(sa.false()))
    known = state.load(connection, device).get(device)
    return known or Desired(device, 0, {}, (), None, 0, None)


def _save(
    connection: sa.Connection, before: Desired, now: float, *,
    settings: Mapping[str, int] | None = None, order: Mapping[str, Any] | None = None,
    release: str | None = None,
) -> Desired:  # fmt: skip
    """The state after a change, under a number of its own, kept with its fact."""
    n = max(before.n + 1, int(now))  # a node takes only what is above what it has
    answered = before.answer.n if before.answer else 0
    once = [one for one in before.once if one["n"] > answered]
    once += [{**order, "n": n}] if order else []
    values: dict[str, Any] = {
        "n": n,
        "set": dict(before.settings if settings is None else settings),
        "once": once[-_KEPT:],
        "release": release,
        "release_n": n,
    }
    if release is None and not _came_to_nothing(before):
        values |= {"release": before.release, "release_n": before.release_n}
    connection.execute(sa.delete(desired).where(desired.c.device == before.device))
    connection.execute(sa.insert(desired).values(device=before.device, **values))
    connection.execute(
        sa.insert(fact).values(
            key=f"cmd:{before.device}:{n}", time=now, kind="cmd", subject=before.device, lines={},
            body={"device": before.device, **values},
        )
    )  # fmt: skip
    return state.load(connection, before.device)[before.device]


def _came_to_nothing(before: Desired) -> bool:
    """Whether the release was refused: the next ``down`` leaves it out."""
    return before.release_ended and before.answer is not None and not before.answer.ok

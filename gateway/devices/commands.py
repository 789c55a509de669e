"""Changes of a device's desired state: settings, a one-time order, a release."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import cast

import sqlalchemy as sa

from gateway.database.tables import queue_fact
from gateway.devices import broker_trust, state
from gateway.devices.broker_trust import BrokerTrust
from gateway.devices.release import Release
from gateway.devices.state import DesiredState, desired, release
from gateway.domain.registry import Registry
from gateway.errors import OrderError

ORDERS = ("reboot", "recover", "resend")
_MAX_ORDERS = 8  # a node remembers the last eight that it executed; it would repeat earlier ones

_SECONDS = (30, 604_800)
_CHANGE = (1, 2**31 - 1)
TIME_RANGE = (1_767_225_600, 4_102_444_799)  # Unix s that a node accepts as a time
_SETTINGS: Mapping[str, tuple[int, int]] = {
    "interval_s": _SECONDS,
    "report_s": _SECONDS,
    "change_mm": _CHANGE,
    "change_g": (500, _CHANGE[1]),
    "move_from": TIME_RANGE,
    "move_to": TIME_RANGE,
}
"""The settings with their lowest and highest values; a node checks the same."""
_REASONS: Mapping[str, str] = {"change_g": ", since cells creep by up to 300 g under a steady load"}


def change_settings(
    connection: sa.Connection, registry: Registry, device: str, changes: Mapping[str, int | None],
    now: float,
) -> DesiredState:  # fmt: skip
    """Add these to the desired settings; None restores the board's own value.

    Returns the new state. ``now`` is Unix s. Raises OrderError.
    """
    for name, value in changes.items():
        if name not in _SETTINGS:
            raise OrderError(f"{name}: a device knows {', '.join(_SETTINGS)}")
        low, high = _SETTINGS[name]
        if value is not None and not low <= value <= high:
            raise OrderError(f"{name} = {value}: use {low} to {high}{_REASONS.get(name, '')}")
    before = _before(connection, registry, device)
    wanted = {**before.settings, **changes}
    whole = {name: value for name, value in wanted.items() if value is not None}
    if ("move_from" in whole) != ("move_to" in whole) or (
        whole.get("move_from", 0) > whole.get("move_to", 0)
    ):
        raise OrderError("move_from and move_to go together, and move_to is the later one")
    return _save(connection, before, now, settings=whole)


def add_order(
    connection: sa.Connection, registry: Registry, device: str, do: str, now: float,
    start: tuple[str, int, int] | None = None,
) -> DesiredState:  # fmt: skip
    """Add one of ORDERS, to be executed once. ``start`` (era, boot, seq) is for ``resend`` alone.

    Returns the new state. Raises OrderError.
    """
    if do not in ORDERS:
        raise OrderError(f"{do!r}: order {', '.join(ORDERS)}")
    if (do == "resend") != (start is not None):
        raise OrderError("resend, and it alone, needs where it starts: --from ERA:BOOT:SEQ")
    before = _before(connection, registry, device)
    order: dict[str, object] = {"id": secrets.token_hex(4), "do": do}
    if start is not None:
        order["from"] = list(start)
    return _save(connection, before, now, order=order)


def set_release(
    connection: sa.Connection, registry: Registry, device: str, wanted: Release, now: float
) -> DesiredState:
    """Set the desired release, or request it again. Returns the new state. Raises OrderError."""
    before = _before(connection, registry, device)
    bundle = wanted.bundle()
    name = hashlib.sha256(bundle).hexdigest()
    if connection.scalar(sa.select(release.c.id).where(release.c.id == name)) is None:
        connection.execute(sa.insert(release).values(id=name, bundle=bundle))
    return _save(connection, before, now, release=name)


def set_trust(
    connection: sa.Connection, registry: Registry, device: str, trust: BrokerTrust, now: float
) -> DesiredState:
    """Give a device the broker's port and CAs. Returns the new state. Raises OrderError."""
    before = _before(connection, registry, device)
    broker_trust.give(connection, device, trust)
    return _save(connection, before, now)


def _before(connection: sa.Connection, registry: Registry, device: str) -> DesiredState:
    row = registry.device(device)
    if row is None:
        raise OrderError(f"device = {device!r}: no device has this id: see 'noria device list'")
    if row.key is None or row.revoked:
        what = "revoked" if row.revoked else "a third-party feed without a key"
        raise OrderError(f"device = {device!r}: it is {what}: nothing can be told to it")
    # This write takes SQLite's lock before reading, so that no other command races this one.
    connection.execute(sa.delete(desired).where(sa.false()))
    known = state.load(connection, device).get(device)
    return known or DesiredState(device, 0, {}, (), None, 0, None)


def _save(
    connection: sa.Connection, before: DesiredState, now: float, *,
    settings: Mapping[str, int] | None = None, order: Mapping[str, object] | None = None,
    release: str | None = None,
) -> DesiredState:  # fmt: skip
    """Store the changed state under a new number, with its fact; returns it."""
    n = max(before.n + 1, int(now))  # a node ignores numbers that are not above its own
    answered = before.answer.n if before.answer else 0
    orders = [one for one in before.orders if cast(int, one["n"]) > answered]
    orders += [{**order, "n": n}] if order else []
    values: dict[str, object] = {
        "n": n,
        "set": dict(before.settings if settings is None else settings),
        "once": orders[-_MAX_ORDERS:],
        "release": release,
        "release_n": n,
    }
    # A refused release is omitted from the next ``down``.
    refused = before.release_answered and before.answer is not None and not before.answer.ok
    if release is None and not refused:
        values |= {"release": before.release, "release_n": before.release_n}
    connection.execute(sa.delete(desired).where(desired.c.device == before.device))
    connection.execute(sa.insert(desired).values(device=before.device, **values))
    body = {"device": before.device, **values}
    queue_fact(connection, f"cmd:{before.device}:{n}", now, "cmd", before.device, body)
    return state.load(connection, before.device)[before.device]

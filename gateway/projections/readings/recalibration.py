"""The devices whose readings change with the registry, and from when on."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from gateway.domain.registry import Device, Install, Registry, Tank

_ALWAYS = float("-inf")


def devices_to_redo(old: Registry, new: Registry) -> dict[str, float]:
    """Device -> the earliest event time (Unix s) at which its readings may have changed.

    Only fields that place a reading or convert it to litres count: a new threshold or name
    changes no reading. A changed first row affects all times before it, too.
    """
    found: dict[str, float] = {}
    for device in new.devices:
        moments = (
            _first_difference(old.devices.get(device, ()), new.devices[device]),
            _first_difference(old.installs.get(device, ()), new.installs.get(device, ())),
            *(
                _first_difference(_shapes(old, tank), _shapes(new, tank))
                for tank in _tanks_of(old, device) | _tanks_of(new, device)
            ),
        )
        known = [moment for moment in moments if moment is not None]
        if known:
            found[device] = min(known)
    return found


def _tanks_of(registry: Registry, device: str) -> set[str]:
    rows = (*registry.devices.get(device, ()), *registry.installs.get(device, ()))
    return {row.tank for row in rows}


def _shapes(registry: Registry, tank: str) -> tuple[Tank, ...]:
    """The rows of a tank without the fields that do not affect litres."""
    return tuple(
        replace(row, name="", low_pct=0.0, critical_pct=0.0, taps=0, empty_l=0.0)
        for row in registry.tanks.get(tank, ())
    )


def _first_difference(
    old: Sequence[Device | Install | Tank], new: Sequence[Device | Install | Tank]
) -> float | None:
    """The since of the first row that differs; None when none does."""
    for n, rows in enumerate(zip_longest(old, new)):
        if rows[0] != rows[1]:
            return _ALWAYS if n == 0 else min(row.since for row in rows if row)
    return None

"""What a registry becomes when rows are added to it."""

from collections.abc import Mapping
from typing import Protocol, TypeVar

from gateway.domain.registry import Plan, Registry


class _Dated(Protocol):
    @property
    def since(self) -> float: ...


_Row = TypeVar("_Row", bound=_Dated)


def merge_registries(known: Registry, added: Registry) -> Registry:
    """``known`` with the rows of ``added``: a row of the same moment takes the old one's place.

    An undated row (since 0) of something known already counts as its newest.
    """
    return Registry(
        sites=_merged(known.sites, added.sites),
        tanks=_merged(known.tanks, added.tanks),
        devices=_merged(known.devices, added.devices),
        installs=_merged(known.installs, added.installs),
        plans=_plans(known.plans, added.plans),
    )


def _merged(
    known: Mapping[str, tuple[_Row, ...]], added: Mapping[str, tuple[_Row, ...]]
) -> dict[str, tuple[_Row, ...]]:
    result = dict(known)
    for name, rows in added.items():
        old = result.get(name, ())
        if old and len(rows) == 1 and rows[0].since == 0.0:
            result[name] = (*old, rows[0])
            continue
        by_moment = {row.since: row for row in (*old, *rows)}
        result[name] = tuple(by_moment[moment] for moment in sorted(by_moment))
    return result


def _plans(
    known: Mapping[str, tuple[Plan, ...]], added: Mapping[str, tuple[Plan, ...]]
) -> dict[str, tuple[Plan, ...]]:
    result = dict(known)
    for tank, plans in added.items():
        by_start = {(p.start, p.kind): p for p in (*result.get(tank, ()), *plans)}
        result[tank] = tuple(by_start[key] for key in sorted(by_start))
    return result

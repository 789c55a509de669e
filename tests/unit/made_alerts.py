"""Alerts about the incident 8f2k, for tests of their texts."""

from collections.abc import Mapping

from gateway.alerts.language import Language
from gateway.alerts.text import Alert, ClaimNote, text_of
from gateway.domain.outputs import Figure, IncidentChange, IncidentKind
from gateway.domain.registry import Device, Registry, Site, Tank

NOW = 1795267920.0  # Saturday 21 November 2026, 14:32 in Paris
HOUR, MINUTE = 3600.0, 60.0
EN = Language("en", "Europe/Paris")
REGISTRY = Registry(
    sites={"north": (Site("north", "s", name="North"),), "south": (Site("south", "t"),)},
    tanks={
        "canal-1": (Tank("canal-1", "a", "north", name="Canal 1"),),
        "canal-2": (Tank("canal-2", "b", "north", capacity_l=600.0),),
        "wood-1": (Tank("wood-1", "c", "south", name="Wood 1"),),
    },
    devices={
        "one": (Device("one", "canal-1", uplink="r1"),),
        "two": (Device("two", "canal-2", uplink="r1"),),
        "old": (Device("old", "wood-1", uplink="r1", revoked=True),),
        "moved": (
            Device("moved", "wood-1", uplink="r1"),
            Device("moved", "wood-1", NOW - 10, uplink="r2"),
        ),
        "lost": (Device("lost", "wood-1", uplink="r3"), ),
    },
)  # fmt: skip


def change(
    kind: IncidentKind = "low", figures: Mapping[str, Figure] | None = None
) -> IncidentChange:
    """An opened incident of Canal 1 whose evidence began at 14:02."""
    return IncidentChange(
        id="8f2k", change="opened", change_number=1, at=NOW - 30 * MINUTE, received=NOW,
        tank="canal-1", uplink=None, kind=kind, probability=0.7, causes={}, because=(), auth="mac",
        alert=True, figures=figures or {},
    )  # fmt: skip


def alert(
    kind: IncidentKind = "low", url: str = "", going: ClaimNote | None = None,
    closed: float | None = None, **figures: Figure,
) -> Alert:  # fmt: skip
    return Alert(change(kind, figures), REGISTRY, EN, NOW, url, going, closed)


def body(of: Alert) -> str:
    return text_of(of).body.replace("\u00a0", " ")

"""The life of an incident: opened once, updated when it says something new, closed.

People are told when it opens, when it turns into a worse kind, and when water is back; never
twice of the same.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256

from gateway.domain.inputs import Auth
from gateway.domain.outputs import (
    THEFT_KINDS,
    WATER_KINDS,
    Because,
    IncidentChange,
    IncidentKind,
)
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import Incident

Figures = Mapping[str, float | int | str | bool | None]

_LOST = ("drained", "slashed")
_NEWS = 0.1  # a smaller change of probability is not worth an update
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def find(scene: WatchContext, family: str, subject: str) -> Incident | None:
    """The open incident of a family about a subject."""
    return scene.incidents.get((family, subject))


def by_id(scene: WatchContext, incident: str) -> Incident | None:
    """The open incident with this id."""
    return scene.records.get(f"incident:{incident}")


def report(
    scene: WatchContext, family: str, subject: str, *, at: float, kind: IncidentKind,
    probability: float, causes: Mapping[str, float], because: Iterable[Because] = (),
    auth: Auth = "mac", tank: str | None = None, uplink: str | None = None, alert: bool = True,
    figures: Figures | None = None, learned_late: bool = False,
) -> Incident:  # fmt: skip
    """Open the incident, or update it when kind, terms or probability say something new.

    ``alert`` allows people to be told; each kind of an incident is told once.
    """
    because = tuple(because)
    incident = find(scene, family, subject)
    if incident is None:
        incident = Incident(
            id=_identity(family, subject, at, scene.now), family=family, subject=subject,
            number=0, at=at, opened=scene.now, tank=tank, uplink=uplink, kind=kind,
            probability=probability, causes={}, because=[], auth=auth,
            learned_late=learned_late, figures={}, told=[],
        )  # fmt: skip
        scene.add_incident(incident)
    elif not _is_news(incident, kind, probability, because):
        return incident
    scene.touch(f"incident:{incident.id}")
    alert = alert and kind not in incident.told
    if alert:
        incident.told.extend(_as_told(kind))
    incident.kind, incident.probability, incident.auth = kind, probability, auth
    incident.causes = dict(causes)
    incident.because = [_because_state(b) for b in because]
    incident.figures = {**incident.figures, **(figures or {})}
    _tell(scene, incident, "updated" if incident.number else "opened", alert)
    return incident


def amend(scene: WatchContext, incident: Incident, *, figures: Figures) -> None:
    """New figures of an incident that is otherwise the same: an update that alerts nobody."""
    if all(incident.figures.get(name) == value for name, value in figures.items()):
        return
    incident.figures = {**incident.figures, **figures}
    scene.touch(f"incident:{incident.id}")
    _tell(scene, incident, "updated", False)


def close(
    scene: WatchContext, incident: Incident, *, why: str, alert: bool = False,
    figures: Figures | None = None, kind: IncidentKind | None = None,
) -> None:  # fmt: skip
    """Close an incident; ``why`` becomes the figure ``closed_why``."""
    incident.kind = kind or incident.kind
    incident.figures = {**incident.figures, **(figures or {}), "closed_why": why}
    _tell(scene, incident, "closed", alert)
    scene.drop_incident(incident)


def _as_told(kind: IncidentKind) -> tuple[str, ...]:
    """What else people know once told: milder water, or the other way to lose it."""
    if kind in WATER_KINDS:
        return WATER_KINDS[: WATER_KINDS.index(kind) + 1]
    return _LOST if kind in _LOST else (kind,)


def is_theft(incident: Incident) -> bool:
    """Whether the incident is now of a theft kind."""
    return incident.kind in THEFT_KINDS


def _is_news(
    incident: Incident, kind: str, probability: float, because: tuple[Because, ...]
) -> bool:
    if kind == incident.kind and kind in WATER_KINDS:
        return False  # the level itself is on the page; its margin is not news
    if kind != incident.kind or abs(probability - incident.probability) >= _NEWS:
        return True
    return {b.term for b in because} != {str(b["term"]) for b in incident.because}


def _tell(scene: WatchContext, incident: Incident, change: str, alert: bool) -> None:
    incident.number += 1
    scene.told.append(
        IncidentChange(
            id=incident.id, change=change,  # pyright: ignore[reportArgumentType]
            change_number=incident.number, at=incident.at, received=scene.now,
            tank=incident.tank, uplink=incident.uplink, kind=incident.kind,
            probability=incident.probability, causes=dict(incident.causes),
            because=tuple(_because(b) for b in incident.because), auth=incident.auth,
            alert=alert, learned_late=incident.learned_late, figures=dict(incident.figures),
        )
    )  # fmt: skip


def _because_state(because: Because) -> dict[str, object]:
    return {
        "term": because.term,
        "weight": because.weight,
        "basis": because.basis,
        "values": dict(because.values),
    }


def _because(state: Mapping[str, object]) -> Because:
    return Because(**state)  # pyright: ignore[reportArgumentType]  # made by _because_state


def _identity(family: str, subject: str, at: float, decided: float) -> str:
    """Ten letters drawn from the first evidence, so that a rebuild gives the same."""
    digest = sha256(f"{family}|{subject}|{at:.3f}|{decided:.3f}".encode()).digest()
    return "".join(_LETTERS[byte & 31] for byte in digest[:10])

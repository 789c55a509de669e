"""The life of an incident: opened once, updated on new information, closed.

An alert is sent when it opens, when its kind gets worse, and when water is back; at most once for
each kind.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Literal

from gateway.domain.inputs import Auth
from gateway.domain.outputs import (
    WATER_KINDS,
    Because,
    Figures,
    IncidentChange,
    IncidentKind,
)
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import Incident
from gateway.domain.watch.tracks.cause import calibrated

_LOSS_KINDS = ("drained", "slashed")
_LEAST_CHANGE = 0.1  # a smaller change of the probability causes no update
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def report(
    context: WatchContext, family: str, subject: str, *, at: float, kind: IncidentKind,
    probability: float, causes: Mapping[str, float], because: Iterable[Because] = (),
    auth: Auth = "mac", tank: str | None = None, uplink: str | None = None, alert: bool = True,
    figures: Figures | None = None, learned_late: bool = False,
) -> None:  # fmt: skip
    """Open the incident, or update it when kind, terms or probability changed.

    ``alert`` permits an alert; each kind of an incident alerts once. ``probability`` is as weighed;
    the reported one follows from it by the fitted steps of its kind.
    """
    because = list(because)
    probability, causes = calibrated(context.weights, kind, probability, causes)
    incident = context.open_incident(family, subject)
    if incident is None:
        incident = Incident(
            id=_identity(family, subject, at, context.now), family=family, subject=subject,
            number=0, at=at, opened=context.now, tank=tank, uplink=uplink, kind=kind,
            probability=probability, causes={}, because=[], auth=auth,
            learned_late=learned_late, figures={}, alerted_kinds=[],
        )  # fmt: skip
        context.add_incident(incident)
    elif not _has_changed(incident, kind, probability, because):
        return
    context.touch(incident)
    alert = alert and kind not in incident.alerted_kinds
    if alert:
        incident.alerted_kinds.extend(_covered_kinds(kind))
    incident.kind, incident.probability, incident.auth = kind, probability, auth
    incident.causes, incident.because = dict(causes), because
    incident.figures = {**incident.figures, **(figures or {})}
    _emit(context, incident, "updated" if incident.number else "opened", alert)


def amend(context: WatchContext, incident: Incident, *, figures: Figures) -> None:
    """Update only the figures of an incident, without an alert."""
    if all(incident.figures.get(name) == value for name, value in figures.items()):
        return
    incident.figures = {**incident.figures, **figures}
    context.touch(incident)
    _emit(context, incident, "updated", False)


def announce(context: WatchContext, incident: Incident, figures: Figures) -> None:
    """Update the figures of an incident, and alert people to it whatever they know already."""
    incident.figures = {**incident.figures, **figures}
    context.touch(incident)
    _emit(context, incident, "updated", True)


def close(
    context: WatchContext, incident: Incident, *, why: str, alert: bool = False,
    figures: Figures | None = None,
) -> None:  # fmt: skip
    """Close an incident; ``why`` becomes the figure ``closed_why``."""
    incident.figures = {**incident.figures, **(figures or {}), "closed_why": why}
    _emit(context, incident, "closed", alert)
    context.drop_incident(incident)


def _covered_kinds(kind: IncidentKind) -> tuple[str, ...]:
    """The kinds that need no alert after one for ``kind``: milder water, the other kind of loss."""
    if kind in WATER_KINDS:
        return WATER_KINDS[: WATER_KINDS.index(kind) + 1]
    return _LOSS_KINDS if kind in _LOSS_KINDS else (kind,)


def _has_changed(incident: Incident, kind: str, probability: float, because: list[Because]) -> bool:
    if kind != incident.kind or abs(probability - incident.probability) >= _LEAST_CHANGE:
        return True
    return {b.term for b in because} != {b.term for b in incident.because}


def _emit(
    context: WatchContext, incident: Incident, change: Literal["opened", "updated", "closed"],
    alert: bool,
) -> None:  # fmt: skip
    incident.number += 1
    context.outputs.append(
        IncidentChange(
            id=incident.id, change=change, change_number=incident.number, at=incident.at,
            received=context.now, tank=incident.tank, uplink=incident.uplink, kind=incident.kind,
            probability=incident.probability, causes=dict(incident.causes),
            because=tuple(incident.because), auth=incident.auth, alert=alert,
            learned_late=incident.learned_late, figures=dict(incident.figures),
        )
    )  # fmt: skip


def _identity(family: str, subject: str, at: float, decided: float) -> str:
    """Ten letters from a hash of the first evidence, so that a rebuild returns the same."""
    digest = sha256(f"{family}|{subject}|{at:.3f}|{decided:.3f}".encode()).digest()
    return "".join(_LETTERS[byte & 31] for byte in digest[:10])

"""Matches incidents with what really happened, by tank or uplink and by time."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain.outputs import THEFT_KINDS, WATER_KINDS, IncidentChange
from gateway.evaluation.truth import HOUR_S, NOTHING, TrueCause

_BEFORE_S = 6 * HOUR_S  # a wrong beginning is an error of its own
_AFTER_S = 6 * HOUR_S
_LATE_S = 48 * HOUR_S


@dataclass(frozen=True, slots=True)
class MatchedIncident:
    """One incident, all its changes in order, and the cause that explains it, if any."""

    changes: tuple[IncidentChange, ...]
    cause: TrueCause | None

    @property
    def first(self) -> IncidentChange:
        """The change that opened it."""
        return self.changes[0]

    @property
    def kind(self) -> str:
        """Its kind at opening."""
        return self.first.kind

    @property
    def last_kind(self) -> str:
        """Its kind after the story."""
        return self.changes[-1].kind

    @property
    def theft(self) -> IncidentChange | None:
        """The first change with a theft kind."""
        return next((c for c in self.changes if c.kind in THEFT_KINDS), None)

    @property
    def is_right(self) -> bool:
        """Whether the kind at opening is one that the cause accepts."""
        return self.cause is not None and self.kind in self.cause.accepts


def is_theft(cause: TrueCause | None) -> bool:
    """Whether a cause is a theft."""
    return cause is not None and cause.kind in THEFT_KINDS


def match(causes: Sequence[TrueCause], changes: Sequence[IncidentChange]) -> list[MatchedIncident]:
    """All incidents of other than water kinds, in order of opening, each with its cause."""
    by_id: dict[str, list[IncidentChange]] = {}
    for change in changes:
        if change.kind not in WATER_KINDS:
            by_id.setdefault(change.id, []).append(change)
    return [MatchedIncident(tuple(found), _cause(causes, found)) for found in by_id.values()]


def _cause(causes: Sequence[TrueCause], changes: Sequence[IncidentChange]) -> TrueCause | None:
    """The cause that fits best: of the right kind, else a theft, else any at that time."""
    first = changes[0]
    kinds = {change.kind for change in changes}
    near = [cause for cause in causes if _is_near(cause, first)]

    def fit(cause: TrueCause) -> tuple[bool, bool, bool, float]:
        return (
            first.kind in cause.accepts, bool(kinds & THEFT_SET) and is_theft(cause),
            cause.kind != NOTHING, -abs(first.at - cause.at),
        )  # fmt: skip

    return max(near, key=fit, default=None)


THEFT_SET = set(THEFT_KINDS)


def _is_near(cause: TrueCause, first: IncidentChange) -> bool:
    subject = first.tank if cause.tank is not None else first.uplink
    if subject != (cause.tank or cause.uplink):
        return False
    in_time = cause.at - _BEFORE_S <= first.at <= cause.until + _AFTER_S
    return in_time and first.received <= cause.until + _LATE_S

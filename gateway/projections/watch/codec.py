"""Incident changes as JSON and back, for the outbox and the log."""

from dataclasses import asdict

import msgspec

from gateway.domain.outputs import IncidentChange


def to_json(change: IncidentChange) -> dict[str, object]:
    """The change with all its fields."""
    return asdict(change)


def from_json(value: object) -> IncidentChange:
    """The change that ``to_json`` wrote. Raises msgspec.ValidationError for anything else."""
    return msgspec.convert(value, IncidentChange)


def fact_of(change: IncidentChange, rid: str | None) -> dict[str, object]:
    """The body of its ``inc`` leaf: the tank by its random id, without the uplink."""
    body = to_json(change)
    del body["tank"], body["uplink"]
    return {**body, "tank": rid} if rid is not None else body

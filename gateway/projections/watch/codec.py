"""Incident changes as JSON and back, for the outbox and the log."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from gateway.domain.outputs import Because, IncidentChange


def to_json(change: IncidentChange) -> dict[str, Any]:
    """Field by field."""
    return asdict(change)


def from_json(value: Mapping[str, Any]) -> IncidentChange:
    """The change that ``to_json`` wrote."""
    fields = dict(value)
    fields["because"] = tuple(Because(**term) for term in value["because"])
    return IncidentChange(**fields)


def fact_of(change: IncidentChange, rid: str | None) -> dict[str, Any]:
    """The body of its ``inc`` leaf: the tank by its random id, the uplink not at all."""
    body = asdict(change)
    del body["tank"], body["uplink"]
    return {**body, "tank": rid} if rid is not None else body

"""The live topics: every tank and incident as it stands, retained, once the watch has saved it.

For the server and for integrations (Home Assistant, Node-RED). Nothing rests on them: who was
away reads the same from the database.
"""

import json
import threading
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from gateway.projections import changes
from gateway.projections.changes import Row

NAME = "live"
_LEVEL = ("at", "received", "volume_l", "sd_l", "pct", "state")
_INCIDENT = (
    "id", "kind", "tank", "uplink", "at", "opened", "updated", "closed", "probability", "causes",
    "auth", "learned_late",
)  # fmt: skip
_LOOK_ANYWAY_S = 5.0  # another process (a claim on a page) does not ring

Publish = Callable[[str, bytes, bool], None]
"""Publishes (topic, payload, retain); may drop it while the broker is away."""


class LiveTopics:
    """Its ``turn`` is run by a ``Loop`` that is rung when the watch has saved."""

    def __init__(self, engine: sa.Engine, publish: Publish) -> None:
        self._engine = engine
        self._publish = publish
        self._version = 0
        self._again = threading.Event()

    def republish(self) -> None:
        """The broker is back, perhaps empty: publish everything at the next turn. Any thread."""
        self._again.set()

    def turn(self) -> float:
        """Publish what changed; returns how long to wait (real s)."""
        if self._again.is_set():
            self._again.clear()
            self._version = 0
        begin = self._version == 0
        found = changes.since(self._engine, self._version)
        for tank, value in found.tanks.items():
            self._publish(f"noria/1/live/{tank}", _json(value, _LEVEL), True)
        for row in found.incidents:
            self._incident(row, begin)
        self._version = found.version
        return _LOOK_ANYWAY_S

    def _incident(self, row: Row, begin: bool) -> None:
        """An open one is retained; a closed one is told once and then no longer retained."""
        topic = f"noria/1/live/incident/{row['id']}"
        if row["closed"] is None:
            self._publish(topic, _json(row, _INCIDENT, claimed=bool(row["claimed_by"])), True)
            return
        if not begin:
            self._publish(topic, _json(row, _INCIDENT, claimed=bool(row["claimed_by"])), False)
        self._publish(topic, b"", True)


def _json(row: Row, names: tuple[str, ...], **more: Any) -> bytes:
    chosen = {name: row.get(name) for name in names} | more
    return json.dumps(chosen, separators=(",", ":")).encode()

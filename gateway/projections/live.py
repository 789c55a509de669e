"""The live topics: the current state of every tank and incident, retained at the broker.

Published once the watch has saved it, for the server and for integrations (Home Assistant,
Node-RED). They carry nothing that the database lacks: a client that was offline reads it there.
"""

import json
import threading
from collections.abc import Callable

import sqlalchemy as sa

from gateway.projections.changes import Row, changes_since
from gateway.registry import rows

NAME = "live"
_LEVEL = ("at", "received", "volume_l", "sd_l", "pct", "state")
_INCIDENT = (
    "id", "kind", "tank", "uplink", "at", "opened", "updated", "closed", "probability", "causes",
    "auth", "learned_late",
)  # fmt: skip
_POLL_S = 5.0  # another process (a claim on a page) cannot wake this one

Publish = Callable[[str, bytes, bool], None]
"""Publishes (topic, payload, retain); may drop it while there is no broker."""


class LiveTopics:
    """A ``Worker`` that is woken when the watch has saved runs its ``turn``."""

    def __init__(self, engine: sa.Engine, publish: Publish, *, random_ids: bool = False) -> None:
        """``random_ids``: a tank by its random id, and no network, as in the log's leaves."""
        self._random_ids = random_ids
        self._names: dict[str, str] = {}
        self._engine = engine
        self._publish = publish
        self._version = 0
        self._republish = threading.Event()

    def republish(self) -> None:
        """Publish everything at the next turn: the broker may have restarted empty. Any thread."""
        self._republish.set()

    def turn(self) -> float:
        """Publish what changed; returns how long to wait (real s)."""
        if self._republish.is_set():
            self._republish.clear()
            self._version = 0
        changes = changes_since(self._engine, self._version)
        if self._random_ids and (changes.tanks or changes.incidents):
            tanks = rows.load(self._engine).tanks
            self._names = {name: of_tank[-1].rid for name, of_tank in tanks.items()}
        for tank, value in changes.tanks.items():
            self._publish(f"noria/1/live/{self._name(tank)}", _json(value, _LEVEL), True)
        for row in changes.incidents:
            self._publish_incident(row, everything=self._version == 0)
        self._version = changes.version
        return _POLL_S

    def _name(self, tank: str) -> str:
        return self._names.get(tank, "-") if self._random_ids else tank

    def _publish_incident(self, row: Row, *, everything: bool) -> None:
        """An open one is retained; a closed one is published once and its retained message
        cleared."""
        topic = f"noria/1/live/incident/{row['id']}"
        is_open = row["closed"] is None
        if is_open or not everything:
            shown = dict(row)
            if self._random_ids:
                tank = row["tank"]
                shown |= {"tank": self._name(tank) if isinstance(tank, str) else None,
                          "uplink": None}  # fmt: skip
            payload = _json(shown, _INCIDENT, claimed=bool(row["claimed_by"]))
            self._publish(topic, payload, is_open)
        if not is_open:
            self._publish(topic, b"", True)


def _json(row: Row, names: tuple[str, ...], **more: bool) -> bytes:
    chosen = {name: row.get(name) for name in names} | more
    return json.dumps(chosen, separators=(",", ":")).encode()

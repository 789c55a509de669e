"""Messages retained at the broker for devices: ``down``, and a release's parts while needed."""

import logging
from collections.abc import Iterator

import sqlalchemy as sa

from gateway.database.transaction import write_transaction
from gateway.devices import state
from gateway.devices.release import Release
from gateway.devices.state import DesiredState, parts_at_broker
from gateway.domain import envelope
from gateway.domain.registry import Registry
from gateway.errors import ReleaseError
from gateway.mqtt.publish_queue import Publication

_log = logging.getLogger(__name__)


class DownPublisher:
    """Follows the desired states; ``due`` returns the messages that changed since its last call.

    ``tls_port``: where the broker speaks TLS since it was started; devices are sent to no other.
    """

    def __init__(self, engine: sa.Engine, tls_port: int | None = None) -> None:
        self._engine = engine
        self._tls_port = tls_port
        self._published: dict[str, tuple[int, str | None, str]] = {}

    def forget(self) -> None:
        """Everything is due again: the broker may have lost its retained messages."""
        self._published.clear()

    def due(self, registry: Registry) -> list[Publication]:
        """The messages that differ from the published ones, QoS 1 and retained.

        Raises OperationalError.
        """
        with write_transaction(self._engine) as connection:
            found: list[Publication] = []
            for wanted in state.load(connection).values():
                row = registry.device(wanted.device)
                if row is not None and row.key is not None and not row.revoked:
                    found += self._changed(connection, wanted, row.key)
            return found

    def _changed(
        self, connection: sa.Connection, wanted: DesiredState, key: bytes
    ) -> Iterator[Publication]:
        parts = wanted.release if wanted.needs_parts else None
        now, before = (wanted.n, parts, wanted.offered), self._published.get(wanted.device)
        if now == before:
            return
        yield from self._parts(connection, wanted.device, parts, key, before is None)
        if before is None or (before[0], before[2]) != (wanted.n, wanted.offered):
            release = _release(connection, wanted.release)
            topic = envelope.down_topic(wanted.device)
            payload = envelope.seal(key, topic, wanted.down_object(release, self._tls_port))
            yield Publication(topic, payload, retain=True, qos=1)
        self._published[wanted.device] = now

    def _parts(
        self, connection: sa.Connection, device: str, wanted: str | None, key: bytes, again: bool
    ) -> Iterator[Publication]:
        """Clear the parts of another release, then publish those that are needed."""
        where = parts_at_broker.c.device == device
        at_broker = connection.scalar(sa.select(parts_at_broker.c.release).where(where))
        if at_broker is not None and at_broker != wanted:
            old = _release(connection, at_broker)
            for number in range(len(old.parts()) if old else 0):
                topic = envelope.part_topic(device, old.version if old else 0, number)
                yield Publication(topic, b"", retain=True, qos=1)
            connection.execute(sa.delete(parts_at_broker).where(where))
        release = _release(connection, wanted) if at_broker != wanted or again else None
        if release is None:
            return
        for number, part in enumerate(release.parts()):
            topic = envelope.part_topic(device, release.version, number)
            yield Publication(topic, envelope.seal(key, topic, part), retain=True, qos=1)
        if at_broker != wanted:
            connection.execute(sa.insert(parts_at_broker).values(device=device, release=wanted))


def _release(connection: sa.Connection, wanted: str | None) -> Release | None:
    if wanted is None:
        return None
    try:
        return state.load_release(connection, wanted)
    except ReleaseError as error:
        _log.error("release %s: %s", wanted[:16], error)
        return None

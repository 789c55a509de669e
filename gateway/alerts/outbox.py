"""Delivers the outbox, with one thread for each channel: a dead channel does not stall others.

A message is leased by compare-and-swap, worded then (the claim may have changed), sent and marked.
After a crash between lease and mark it is sent again when the lease ends: delivery is at least
once. Marks are committed without waiting for SQLite's disk, so that they do not delay the next
alert; after a power cut the messages of the last half minute may be sent a second time.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import sqlalchemy as sa

from gateway.alerts.channels import Channel, TransportError
from gateway.alerts.channels.log import LogChannel
from gateway.alerts.language import Language
from gateway.alerts.relevance import CHANNEL_GONE, WAITS, OutboxMessage, why_moot
from gateway.alerts.text import Alert, ClaimNote, text_of
from gateway.database.engine import next_version, serialise
from gateway.database.tables import account, incident, incident_step, outbox
from gateway.database.transaction import write_transaction
from gateway.domain.outputs import IncidentChange
from gateway.domain.registry import Registry
from gateway.projections.watch.rows import from_json
from gateway.registry import rows
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from gateway.runtime.worker import Worker

_log = logging.getLogger(__name__)

GIVE_UP_S = 24 * 3600.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 10.0, 900.0
_LEASE_S = 120.0
_LOOK_S = 5.0


@dataclass(frozen=True, slots=True)
class AlertWording:
    """The language of alerts, and the address that links begin with."""

    language: Language
    public_url: str = ""


def nameless(change: IncidentChange, registry: Registry) -> IncidentChange:
    """The change with the tank's random id in place of the registry's, and without its network."""
    row = registry.tank(change.tank) if change.tank is not None else None
    tank = None if change.tank is None else (row.rid if row is not None else "-")
    return replace(change, tank=tank, uplink=None if change.uplink is None else "-")


def alert_of(
    connection: sa.Connection, change: IncidentChange, registry: Registry, wording: AlertWording,
    now: float,
) -> Alert:  # fmt: skip
    """The change with who claimed its incident, who asks to close it, and whether it has ended."""
    asker = account.alias()
    columns = (incident.c.claimed_by, incident.c.claim_eta, incident.c.closed, account.c.name)
    row = connection.execute(
        sa.select(*columns, asker.c.name.label("asking"))
        .join_from(incident, account, account.c.id == incident.c.claimed_by, isouter=True)
        .join(asker, asker.c.id == incident.c.closing_by, isouter=True)
        .where(incident.c.id == change.id)
    ).first()
    going, closed, asking = None, None, ""
    if row is not None:
        asking = row.asking or ""
        going = ClaimNote(row.name or "", row.claim_eta) if row.claimed_by else None
        closed = row.closed if change.change != "closed" else None
    return Alert(change, registry, wording.language, now, wording.public_url, going, closed, asking)


class Outbox:
    """The deliveries of all channels. The watch notifies ``wake`` after each commit.

    ``others``: names of messages that wait for somebody else than a channel.
    """

    def __init__(
        self,
        engine: sa.Engine,
        channels: Sequence[Channel],
        clock: Clock,
        wake: Wakeup,
        wording: AlertWording,
        others: Sequence[str] = (),
    ) -> None:
        self._engine = engine
        self._names = [*(channel.name for channel in channels), *others]
        self._clock = clock
        self._loops = [
            Worker(f"outbox {channel.name}", Delivery(engine, channel, clock, wording).turn, wake)
            for channel in channels
        ]

    def start(self) -> None:
        """Start the threads, and give up messages for channels that are no longer configured."""
        with write_transaction(self._engine) as connection:
            connection.execute(
                sa.update(outbox)
                .where(WAITS, outbox.c.channel.not_in(self._names))
                .values(given_up=self._clock.now(), error=CHANNEL_GONE)
            )
        for loop in self._loops:
            loop.start()

    def stop(self) -> None:
        """Stop after the current message."""
        for loop in self._loops:
            loop.stop()


class Delivery:
    """Sends the messages of one channel, oldest first."""

    def __init__(
        self, engine: sa.Engine, channel: Channel, clock: Clock, wording: AlertWording
    ) -> None:
        self._channel = channel
        self._engine = engine
        self._clock = clock
        self._wording = wording
        self._registry = Registry()
        self._registry_version = -1

    def turn(self) -> float:
        """Send what is due; returns how long to wait (real s)."""
        due = self.deliver_due(self._clock.now())
        return self._clock.wait_s(due, _LOOK_S)

    def deliver_due(self, now: float) -> float | None:
        """Send what is due at ``now`` (Unix s); returns when the next is due, None without one."""
        while (message := self._next(now)) is not None:
            if message.due > now:
                return message.due
            if self._take(message, now):
                self._deliver(message, now)
        return None

    def _next(self, now: float) -> OutboxMessage | None:
        query = (
            sa.select(*(outbox.c[one.name] for one in fields(OutboxMessage)))
            .where(WAITS, outbox.c.channel == self._channel.name)
            .order_by(outbox.c.due, outbox.c.id)
            .limit(1)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else OutboxMessage(*row)

    def _take(self, message: OutboxMessage, now: float) -> bool:
        """Lease the message; False when another worker has it."""
        lease_s = _LEASE_S * self._clock.speed
        with write_transaction(self._engine) as connection:
            done = connection.execute(
                sa.update(outbox)
                .where(outbox.c.id == message.id, outbox.c.attempts == message.attempts, WAITS)
                .values(attempts=message.attempts + 1, due=now + lease_s)
            )
        return done.rowcount == 1

    def _deliver(self, message: OutboxMessage, now: float) -> None:
        change = from_json(message.change)
        with self._engine.connect() as connection:
            moot = why_moot(connection, message, change, now)
            alert = self._alert(connection, change, now)
        if moot is not None:
            self._mark(message, given_up=now, error=moot)
            return
        text = text_of(alert)
        try:
            self._channel.send(text.body, text.title)
        except TransportError as error:
            self._failed(message, error, now)
        else:
            self._sent(message, now)

    def _alert(self, connection: sa.Connection, change: IncidentChange, now: float) -> Alert:
        self._follow_registry()
        alert = alert_of(connection, change, self._registry, self._wording, now)
        if isinstance(self._channel, LogChannel) and self._channel.nameless:
            bare = nameless(change, self._registry)
            return Alert(bare, Registry(), alert.language, now, alert.public_url,
                         closed=alert.closed)  # fmt: skip
        return alert

    def _follow_registry(self) -> None:
        version = rows.version(self._engine)
        if version != self._registry_version:
            self._registry = rows.load(self._engine)
            self._registry_version = version

    def _sent(self, message: OutboxMessage, now: float) -> None:
        data = {"channel": self._channel.name, "number": message.change_number}
        with write_transaction(self._engine) as connection:
            serialise(connection)
            connection.execute(
                sa.update(outbox).where(outbox.c.id == message.id).values(sent=now, error=None)
            )
            connection.execute(
                sa.insert(incident_step).values(
                    incident=message.incident, time=now, what="told", data=data
                )
            )
            connection.execute(
                sa.update(incident)
                .where(incident.c.id == message.incident)
                .values(version=next_version(connection))
            )

    def _failed(self, message: OutboxMessage, error: TransportError, now: float) -> None:
        """Retry with exponential back-off, for a day, unless the failure is permanent."""
        if error.permanent or now - message.made > GIVE_UP_S:
            _log.error("message of incident %s given up: %s", message.incident, error)
            self._mark(message, given_up=now, error=str(error))
            return
        wait_s = min(_FIRST_WAIT_S * 2**message.attempts, _LONGEST_WAIT_S)
        if message.error is None:
            _log.warning("message of incident %s waits: %s", message.incident, error)
        self._mark(message, due=now + wait_s, error=str(error))

    def _mark(self, message: OutboxMessage, **values: object) -> None:
        with write_transaction(self._engine) as connection:
            connection.execute(sa.update(outbox).where(outbox.c.id == message.id).values(**values))

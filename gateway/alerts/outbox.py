"""Delivers what waits in the outbox: one thread for each channel, so a dead one stalls none.

A message is taken by compare-and-swap, worded at that moment (who goes may have changed), sent,
and marked. A crash between taking and marking sends it again after the lease: at least once, and
once unless we die in those seconds. Marks do not wait for SQLite's disk, so that the next alert
does not either: a power cut may take back those of the last half minute, which is then sent again.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gateway.alerts.channels import Channel, TransportError
from gateway.alerts.language import Language
from gateway.alerts.relevance import CHANNEL_GONE, WAITS, why_moot
from gateway.alerts.text import Alert, ClaimNote, text_of
from gateway.database.engine import next_version, serialise
from gateway.database.tables import account, incident, incident_step, outbox
from gateway.database.transaction import write_transaction
from gateway.domain.outputs import IncidentChange
from gateway.domain.registry import Registry
from gateway.projections.watch.codec import from_json
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
    """How alerts are worded here: language, and the address that links begin with."""

    language: Language
    public_url: str = ""


class Outbox:
    """All channels' deliveries. ``wake`` is rung by the watch after each commit."""

    def __init__(
        self,
        engine: sa.Engine,
        channels: Sequence[Channel],
        clock: Clock,
        wake: Wakeup,
        wording: AlertWording,
    ) -> None:
        self._engine = engine
        deliveries = [Delivery(engine, channel, clock, wording) for channel in channels]
        self._names = [channel.name for channel in channels]
        self._clock = clock
        self._loops = [
            Worker(f"outbox {d.channel.name}", _turn_of(d, clock), wake) for d in deliveries
        ]

    def start(self) -> None:
        """Begin; messages for channels that are no longer configured are given up."""
        with write_transaction(self._engine) as connection:
            connection.execute(
                sa.update(outbox)
                .where(WAITS, outbox.c.channel.not_in(self._names))
                .values(given_up=self._clock.now(), error=CHANNEL_GONE)
            )
        for loop in self._loops:
            loop.start()

    def stop(self) -> None:
        """End after the message in hand."""
        for loop in self._loops:
            loop.stop()


def _turn_of(delivery: "Delivery", clock: Clock) -> Callable[[], float]:
    def turn() -> float:
        due = delivery.deliver_due(clock.now())
        if due is None:
            return _LOOK_S
        return min(max(clock.real_s(due - clock.now()), 0.0), _LOOK_S)

    return turn


class Delivery:
    """The messages of one channel, oldest first."""

    def __init__(
        self, engine: sa.Engine, channel: Channel, clock: Clock, wording: AlertWording
    ) -> None:
        self.channel = channel
        self._engine = engine
        self._clock = clock
        self._wording = wording
        self._registry = Registry()
        self._registry_version = -1

    def deliver_due(self, now: float) -> float | None:
        """Send what is due at ``now`` (Unix s); returns when the next is due, None for nothing."""
        while (row := self._next(now)) is not None:
            if row.due > now:
                return row.due
            if self._take(row, now):
                self._deliver(row, now)
        return None

    def _next(self, now: float) -> sa.Row[Any] | None:
        query = (
            sa.select(outbox)
            .where(WAITS, outbox.c.channel == self.channel.name)
            .order_by(outbox.c.due, outbox.c.id)
            .limit(1)
        )
        with self._engine.connect() as connection:
            return connection.execute(query).first()

    def _take(self, row: sa.Row[Any], now: float) -> bool:
        """Ours for the lease, unless another worker was quicker."""
        lease_s = _LEASE_S * self._clock.speed
        with write_transaction(self._engine) as connection:
            done = connection.execute(
                sa.update(outbox)
                .where(outbox.c.id == row.id, outbox.c.attempts == row.attempts, WAITS)
                .values(attempts=row.attempts + 1, due=now + lease_s)
            )
        return done.rowcount == 1

    def _deliver(self, row: sa.Row[Any], now: float) -> None:
        change = from_json(row.change)
        with self._engine.connect() as connection:
            moot = why_moot(connection, row, change, now)
            alert = self._alert(connection, change, now)
        if moot is not None:
            self._mark(row, given_up=now, error=moot)
            return
        text = text_of(alert)
        try:
            self.channel.send(text.body, text.title)
        except TransportError as error:
            self._failed(row, error, now)
        else:
            self._sent(row, now)

    def _alert(self, connection: sa.Connection, change: IncidentChange, now: float) -> Alert:
        self._follow_registry()
        row = connection.execute(sa.select(incident).where(incident.c.id == change.id)).first()
        going = _going(connection, row) if row is not None else None
        closed = row.closed if row is not None and change.change != "closed" else None
        language, url = self._wording.language, self._wording.public_url
        return Alert(change, self._registry, language, now, url, going, closed)

    def _follow_registry(self) -> None:
        version = rows.version(self._engine)
        if version != self._registry_version:
            self._registry = rows.load(self._engine)
            self._registry_version = version

    def _sent(self, row: sa.Row[Any], now: float) -> None:
        data = {"channel": self.channel.name, "number": row.change_number}
        with write_transaction(self._engine) as connection:
            serialise(connection)
            connection.execute(
                sa.update(outbox).where(outbox.c.id == row.id).values(sent=now, error=None)
            )
            connection.execute(
                sa.insert(incident_step).values(
                    incident=row.incident, time=now, what="told", data=data
                )
            )
            connection.execute(
                sa.update(incident)
                .where(incident.c.id == row.incident)
                .values(version=next_version(connection))
            )

    def _failed(self, row: sa.Row[Any], error: TransportError, now: float) -> None:
        """Try again later, at growing distance; not for ever, and not what cannot succeed."""
        if error.permanent or now - row.made > GIVE_UP_S:
            _log.error("message of incident %s given up: %s", row.incident, error)
            self._mark(row, given_up=now, error=str(error))
            return
        wait_s = min(_FIRST_WAIT_S * 2**row.attempts, _LONGEST_WAIT_S)
        if row.error is None:
            _log.warning("message of incident %s waits: %s", row.incident, error)
        self._mark(row, due=now + wait_s, error=str(error))

    def _mark(self, row: sa.Row[Any], **values: Any) -> None:
        with write_transaction(self._engine) as connection:
            connection.execute(sa.update(outbox).where(outbox.c.id == row.id).values(**values))


def _going(connection: sa.Connection, row: sa.Row[Any]) -> ClaimNote | None:
    """Who claimed the incident, by the name that others see."""
    if row.claimed_by is None:
        return None
    name = connection.execute(
        sa.select(account.c.name).where(account.c.id == row.claimed_by)
    ).scalar()
    return ClaimNote(name or "", row.claim_eta)

"""Sends notices to persons, with one thread for each service: a dead one does not stall others.

A notice is leased by compare-and-swap as in ``alerts.outbox``: delivery is at least once. When it
is sent is decided then, by the person's quiet hours, cap and snoozes; what was kept back goes out
as one digest. A contact that refuses, or stays silent too long, is followed by the person's next.
"""

import logging
from collections.abc import Sequence
from typing import Any, Protocol

import sqlalchemy as sa

from gateway.alerts.channels import TransportError
from gateway.alerts.language import Language
from gateway.alerts.outbox import AlertWording
from gateway.alerts.people import contacts
from gateway.alerts.people.listeners import recipients, turns
from gateway.alerts.people.wording import digest_of, message_of
from gateway.alerts.relevance import ENDED, ENDED_UNTOLD, OLD_S, OVERTAKEN
from gateway.alerts.tables import NO_CONTACT, contact, listening, notice
from gateway.alerts.text import Text
from gateway.database.engine import next_version, serialise
from gateway.database.tables import incident, incident_step
from gateway.database.transaction import write_transaction
from gateway.domain.dispatch import rota, timing
from gateway.domain.outputs import WATER_KINDS
from gateway.domain.registry import Registry
from gateway.projections.watch.rows import from_json
from gateway.registry import rows
from gateway.runtime.clock import Clock

_log = logging.getLogger(__name__)

GIVE_UP_S = 24 * 3600.0
_PATIENCE_S = 900.0  # then the person's next contact, if there is one
_FIRST_WAIT_S, _LONGEST_WAIT_S = 10.0, 900.0
_LEASE_S = 120.0
_LOOK_S = 5.0
_LOCKED_S = 30.0
LOCKED = "contacts are locked: run noria unlock"

WAITS = sa.and_(notice.c.sent.is_(None), notice.c.given_up.is_(None))


class Sender(Protocol):
    """An operator's means to reach persons: a mail server, a Signal daemon, an SMS gateway."""

    @property
    def name(self) -> str:
        """Its name in the settings, without address or token."""
        ...

    def send(self, address: str, text: str, title: str) -> None:
        """Send; returns once the other side has accepted it. Raises TransportError."""
        ...


class NoticeDelivery:
    """Sends the notices whose contact is of one service, oldest first; the step of a worker."""

    def __init__(
        self, engine: sa.Engine, service: Sender, keys: contacts.Keys, clock: Clock,
        wording: AlertWording,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._service = service
        self._keys = keys
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
        key = self._keys.get()
        while (row := self._next()) is not None:
            if row.due > now:
                return row.due
            if key is None:
                self._mark([row], due=now + _LOCKED_S, error=LOCKED)
            elif self._take(row, now):
                self._deliver(row, key, now)
        return None

    def _next(self) -> sa.Row[Any] | None:
        own = sa.select(contact.c.id).where(contact.c.service == self._service.name)
        query = (
            sa.select(notice)
            .where(WAITS, notice.c.contact.in_(own))
            .order_by(notice.c.due, notice.c.id)
            .limit(1)
        )
        with self._engine.connect() as connection:
            return connection.execute(query).first()

    def _take(self, row: sa.Row[Any], now: float) -> bool:
        """Lease the notice; False when another worker has it."""
        lease_s = _LEASE_S * self._clock.speed
        with write_transaction(self._engine) as connection:
            done = connection.execute(
                sa.update(notice)
                .where(notice.c.id == row.id, notice.c.attempts == row.attempts, WAITS)
                .values(attempts=row.attempts + 1, due=now + lease_s)
            )
        return done.rowcount == 1

    def _deliver(self, row: sa.Row[Any], key: contacts.Key, now: float) -> None:
        with self._engine.connect() as connection:
            moot = why_moot(connection, row, now)
            moment = None if moot is not None else self._moment(connection, row, now)
            address = contacts.address(connection, key, row.contact)
        if moot is not None:
            self._mark([row], given_up=now, error=moot)
        elif moment is None or address is None:
            self._next_contact(row, NO_CONTACT, now)
        elif moment.at > now:
            self._mark([row], due=moment.at, held=moment.reason, attempts=0)
        else:
            self._send(row, address, now)

    def _moment(
        self, connection: sa.Connection, row: sa.Row[Any], now: float
    ) -> timing.Moment | None:
        """When this person is notified; None when they are no longer reached at all."""
        known = [r for r in recipients(connection) if r.person == row.account]
        if not known:
            return None
        change = from_json(row.change)
        self._follow_registry()
        tank = self._registry.tank(change.tank) if change.tank is not None else None
        zone = self._wording.language.zone
        site = tank.site if tank is not None else None
        on_shift = rota.on_shift(turns(connection, now, now + 1.0, zone), now, site)
        sent = sa.select(notice.c.sent).where(
            notice.c.account == row.account, notice.c.sent > now - timing.HOUR_S
        )
        times = connection.execute(sent.distinct()).scalars().all()
        return timing.moment(
            known[0], row.group, change.tank, row.account in on_shift, now, zone, times
        )

    def _send(self, row: sa.Row[Any], address: str, now: float) -> None:
        with self._engine.connect() as connection:
            held = self._held_with(connection, row, now)
            text = self._text(connection, [row, *held], now)
        try:
            self._service.send(address, text.body, text.title)
        except TransportError as error:
            self._failed(row, error, now)
        else:
            self._sent([row, *held], now)

    def _held_with(
        self, connection: sa.Connection, row: sa.Row[Any], now: float
    ) -> list[sa.Row[Any]]:
        """What else was kept back for this person until now: it goes out in the same message."""
        if row.held is None:
            return []
        query = sa.select(notice).where(
            WAITS, notice.c.account == row.account, notice.c.held.is_not(None),
            notice.c.id != row.id, sa.or_(notice.c.due <= now, notice.c.held == "digest"),
            notice.c.contact == row.contact,
        )  # fmt: skip
        rows = connection.execute(query.order_by(notice.c.id)).all()
        return [other for other in rows if why_moot(connection, other, now) is None]

    def _language(self, connection: sa.Connection, person: str) -> Language:
        chosen = connection.execute(
            sa.select(listening.c.language).where(listening.c.account == person)
        ).scalar()
        language = self._wording.language
        if chosen is not None and chosen != language.code:
            language = Language(chosen, language.zone.key)
        return language

    def _text(self, connection: sa.Connection, chosen: Sequence[sa.Row[Any]], now: float) -> Text:
        self._follow_registry()
        changes = [from_json(row.change) for row in chosen]
        reader = chosen[0].account
        wording = AlertWording(self._language(connection, reader), self._wording.public_url)
        if len(changes) > 1:
            return digest_of(changes, self._registry, wording, now)
        return message_of(connection, changes[0], self._registry, wording, now, reader)

    def _follow_registry(self) -> None:
        version = rows.version(self._engine)
        if version != self._registry_version:
            self._registry = rows.load(self._engine)
            self._registry_version = version

    def _sent(self, chosen: Sequence[sa.Row[Any]], now: float) -> None:
        with write_transaction(self._engine) as connection:
            serialise(connection)
            for row in chosen:
                connection.execute(
                    sa.update(notice).where(notice.c.id == row.id).values(sent=now, error=None)
                )
                self._note_sent(connection, row, now)

    def _note_sent(self, connection: sa.Connection, row: sa.Row[Any], now: float) -> None:
        """One line of the incident's history for each service, not for each person."""
        data = {"channel": self._service.name, "number": row.change_number}
        notified = connection.execute(
            sa.select(incident_step.c.data).where(
                incident_step.c.incident == row.incident, incident_step.c.what == "told"
            )
        ).scalars()
        if data in notified.all():
            return
        connection.execute(
            sa.insert(incident_step).values(incident=row.incident, time=now, what="told", data=data)
        )
        connection.execute(
            sa.update(incident)
            .where(incident.c.id == row.incident)
            .values(version=next_version(connection))
        )

    def _failed(self, row: sa.Row[Any], error: TransportError, now: float) -> None:
        waited_s = now - row.made
        if error.permanent or waited_s > _PATIENCE_S:
            if self._next_contact(row, str(error), now, gives_up=error.permanent):
                return
            if waited_s > GIVE_UP_S:
                self._give_up(row, str(error), now)
                return
        wait_s = min(_FIRST_WAIT_S * 2**row.attempts, _LONGEST_WAIT_S)
        if row.error is None:
            _log.warning("notice of incident %s waits: %s", row.incident, error)
        self._mark([row], due=now + wait_s, error=str(error))

    def _next_contact(
        self, row: sa.Row[Any], error: str, now: float, gives_up: bool = True
    ) -> bool:
        """Try the person's next contact; without one, give up if ``gives_up``. False: it waits."""
        with self._engine.connect() as connection:
            following = contacts.after(connection, row.account, row.contact)
        if following is not None:
            self._mark([row], contact=following, due=now, attempts=0, error=error)
            return True
        if gives_up:
            self._give_up(row, error, now)
        return gives_up

    def _give_up(self, row: sa.Row[Any], error: str, now: float) -> None:
        _log.error("notice of incident %s given up: %s", row.incident, error)
        self._mark([row], given_up=now, error=error)

    def _mark(self, chosen: Sequence[sa.Row[Any]], **values: object) -> None:
        ids = [row.id for row in chosen]
        with write_transaction(self._engine) as connection:
            connection.execute(sa.update(notice).where(notice.c.id.in_(ids)).values(**values))


def why_moot(connection: sa.Connection, row: sa.Row[Any], now: float) -> str | None:
    """Why this notice need not be sent any more; None when it must be."""
    same = sa.and_(notice.c.incident == row.incident, notice.c.account == row.account)
    newer = sa.or_(
        notice.c.change_number > row.change_number,
        sa.and_(notice.c.change_number == row.change_number, notice.c.round > row.round),
    )
    if connection.execute(sa.select(notice.c.id).where(same, newer).limit(1)).first() is not None:
        return OVERTAKEN
    change = from_json(row.change)
    is_old = now - row.made > OLD_S
    if change.change == "closed":
        sent = sa.select(notice.c.id).where(same, notice.c.sent.is_not(None)).limit(1)
        return ENDED_UNTOLD if connection.execute(sent).first() is None else None
    query = sa.select(incident.c.closed).where(incident.c.id == row.incident)
    has_ended = connection.execute(query).scalar() is not None
    return ENDED if has_ended and (is_old or change.kind in WATER_KINDS) else None

"""Decides who is notified of each incident change, and escalates while nobody claims it.

Each decision is one transaction: it ends the row of the outbox (or moves the incident's progress)
and adds one notice for each person. ``notices`` sends them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from gateway.alerts import claims
from gateway.alerts.people import contacts
from gateway.alerts.people.listeners import listeners
from gateway.alerts.relevance import WAITS, OutboxMessage, why_moot
from gateway.alerts.tables import NO_CONTACT, contact, dispatch, notice
from gateway.database.engine import serialise
from gateway.database.tables import incident, outbox
from gateway.database.transaction import write_transaction
from gateway.domain.dispatch import escalation
from gateway.domain.dispatch.escalation import Case, Escalation, Progress
from gateway.domain.dispatch.people import group_of
from gateway.domain.outputs import IncidentChange
from gateway.domain.registry import Registry
from gateway.projections.watch.rows import from_json
from gateway.registry import rows
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup

PEOPLE = "people"
"""The name under which messages to persons wait in the outbox."""
_LOOK_S = 5.0


class Dispatch:
    """The step of a worker; ``decided`` is notified of new notices."""

    def __init__(
        self, engine: sa.Engine, clock: Clock, zone: ZoneInfo, decided: Wakeup,
        services: Sequence[str],
    ) -> None:  # fmt: skip
        self._engine = engine
        self._clock = clock
        self._zone = zone
        self._decided = decided
        self._services = list(services)
        self._registry = Registry()
        self._registry_version = -1

    def turn(self) -> float:
        """Decide what is due; returns how long to wait (real s)."""
        due = self.decide_due(self._clock.now())
        return self._clock.wait_s(due, _LOOK_S)

    def decide_due(self, now: float) -> float | None:
        """Decide what is due at ``now`` (Unix s); returns when the next is, None without one."""
        self._follow_registry()
        notified = 0
        while (step := self._decide_one(now)) is not None:
            notified += step
        if self._assign(now) or notified:
            self._decided.notify()
        with self._engine.connect() as connection:
            return connection.execute(sa.select(sa.func.min(dispatch.c.due))).scalar()

    def _assign(self, now: float) -> int:
        """Give notices a contact whose own was removed, or whose service is no longer there.

        Returns how many have one now.
        """
        usable = sa.select(contact.c.id).where(contact.c.service.in_(self._services))
        query = sa.select(notice.c.id, notice.c.account).where(
            notice.c.sent.is_(None), notice.c.given_up.is_(None),
            sa.or_(notice.c.contact.is_(None), notice.c.contact.not_in(usable)),
        )  # fmt: skip
        with self._engine.connect() as connection:
            if connection.execute(query.limit(1)).first() is None:
                return 0
        assigned = 0
        with write_transaction(self._engine) as connection:
            for row in connection.execute(query).all():
                found = contacts.first(connection, row.account, self._services)
                given = {"contact": found, "due": now, "attempts": 0}
                lost = {"given_up": now, "error": NO_CONTACT}
                connection.execute(
                    sa.update(notice)
                    .where(notice.c.id == row.id)
                    .values(**(lost if found is None else given))
                )
                assigned += found is not None
        return assigned

    def _decide_one(self, now: float) -> int | None:
        """Take one decision; returns how many notices it added, None when nothing is due."""
        with write_transaction(self._engine) as connection:
            serialise(connection)
            if (row := _first(connection, _NEXT_MESSAGE)) is not None:
                return self._announce(connection, OutboxMessage(*row), now)
            if (row := _first(connection, _NEXT_CLAIM)) is not None:
                return self._follow_claim(connection, row, now)
            if (row := _first(connection, _NEXT_DUE, now=now)) is not None:
                return self._escalate(connection, row, now)
        return None

    def _announce(self, connection: sa.Connection, message: OutboxMessage, now: float) -> int:
        change = from_json(message.change)
        moot = why_moot(connection, message, change, now)
        done = {"sent": now} if moot is None else {"given_up": now, "error": moot}
        connection.execute(sa.update(outbox).where(outbox.c.id == message.id).values(**done))
        if moot is not None:
            return 0
        before = _first(connection, _PROGRESS, incident=change.id)
        if change.change == "closed":
            return self._end(connection, change, before, now)
        found = _one(connection, _INCIDENT, incident=change.id)
        case = self._case(change, found)
        tier = listeners(connection, case.site, now, self._zone)
        if before is None:
            step = escalation.opened(case, tier, now)
            if case.claimed_by is not None:
                step = step._replace(progress=escalation.claimed(step.progress, case))
        else:
            step = escalation.changed(_progress(before), case, before.group, tier, now)
        self._save(connection, change, case, step.progress, found)
        return _notify(connection, change, case, step.notify, now)

    def _end(
        self, connection: sa.Connection, change: IncidentChange, before: sa.Row[Any] | None,
        now: float,
    ) -> int:  # fmt: skip
        """Notify everybody who was sent a message about it."""
        connection.execute(sa.delete(dispatch).where(dispatch.c.incident == change.id))
        if before is None:
            return 0
        sent = sa.select(notice.c.account).where(
            notice.c.incident == change.id, notice.c.sent.is_not(None)
        )
        people = connection.execute(sent.distinct()).scalars().all()
        found = _one(connection, _INCIDENT, incident=change.id)
        return _notify(connection, change, self._case(change, found), people, now)

    def _follow_claim(self, connection: sa.Connection, row: sa.Row[Any], now: float) -> int:
        """Somebody claimed the incident, put off their arrival, withdrew, or did something else."""
        change = from_json(row.change)
        case = self._case(change, row)
        step = Escalation(_progress(row), frozenset())
        if row.closed is not None:  # by a person; the watch's own message follows
            step = Escalation(replace(step.progress, due=None), frozenset())
        elif case.claimed_by is not None:
            step = Escalation(escalation.claimed(step.progress, case), frozenset())
        elif row.was_claimed_by is not None:
            tier = listeners(connection, case.site, now, self._zone)
            step = escalation.released(step.progress, case, tier, now)
        self._save(connection, change, case, step.progress, row)
        return _notify(connection, change, case, step.notify, now)

    def _escalate(self, connection: sa.Connection, row: sa.Row[Any], now: float) -> int:
        change = from_json(row.change)
        case = self._case(change, row)
        if row.closed is not None:
            step = Escalation(replace(_progress(row), due=None), frozenset())
        else:
            tier = listeners(connection, case.site, now, self._zone)
            step = escalation.due(_progress(row), case, tier, now)
        if step.lapsed and case.claimed_by is not None:
            claims.lapse(connection, change.id, case.claimed_by, now)
            row = _one(connection, _INCIDENT, incident=change.id)
        self._save(connection, change, case, step.progress, row)
        return _notify(connection, change, case, step.notify, now)

    def _case(self, change: IncidentChange, row: sa.Row[Any]) -> Case:
        tank = self._registry.tank(change.tank) if change.tank is not None else None
        site = tank.site if tank is not None else None
        return Case(change.kind, group_of(change.kind), site, row.claimed_by,
                    row.claimed_at or 0.0, row.claim_eta)  # fmt: skip

    def _save(
        self, connection: sa.Connection, change: IncidentChange, case: Case, progress: Progress,
        found: sa.Row[Any],
    ) -> None:  # fmt: skip
        values = {
            "group": case.group, "tier": progress.tier, "due": progress.due,
            "notified": sorted(progress.notified), "claim_version": found.claim_version,
            "claimed_by": found.claimed_by,
            "change_number": change.change_number, "change": msgspec.to_builtins(change),
        }  # fmt: skip
        where = dispatch.c.incident == change.id
        if not connection.execute(sa.update(dispatch).where(where).values(**values)).rowcount:
            connection.execute(sa.insert(dispatch).values(incident=change.id, **values))

    def _follow_registry(self) -> None:
        version = rows.version(self._engine)
        if version != self._registry_version:
            self._registry = rows.load(self._engine)
            self._registry_version = version


def _first(connection: sa.Connection, query: sa.Executable, **values: object) -> sa.Row[Any] | None:
    return connection.execute(query, values).first()


def _one(connection: sa.Connection, query: sa.Executable, **values: object) -> sa.Row[Any]:
    return connection.execute(query, values).one()


def _progress(row: sa.Row[Any]) -> Progress:
    return Progress(row.tier, row.due, frozenset(row.notified))


def _notify(
    connection: sa.Connection, change: IncidentChange, case: Case, people: Iterable[str],
    now: float,
) -> int:  # fmt: skip
    """Add a notice for each person; returns how many."""
    notified_before = sa.select(notice.c.account, sa.func.count()).where(
        notice.c.incident == change.id, notice.c.change_number == change.change_number
    )
    times = dict(connection.execute(notified_before.group_by(notice.c.account)).tuples().all())
    made = [
        {
            "incident": change.id, "change_number": change.change_number,
            "round": times.get(person, 0), "account": person, "group": case.group, "made": now,
            "due": now, "attempts": 0, "change": msgspec.to_builtins(change),
            "contact": None,
        }
        for person in sorted(people)
    ]  # fmt: skip
    if made:
        connection.execute(sa.insert(notice), made)
    return len(made)


_NEXT_MESSAGE = (
    sa.select(*(outbox.c[name] for name in OutboxMessage.__dataclass_fields__))
    .where(WAITS, outbox.c.channel == PEOPLE)
    .order_by(outbox.c.id)
    .limit(1)
)
_PROGRESS = sa.select(dispatch).where(dispatch.c.incident == sa.bindparam("incident"))
_CLAIM = (
    incident.c.claimed_by, incident.c.claimed_at, incident.c.claim_eta, incident.c.claim_version,
    incident.c.closed,
)  # fmt: skip
_INCIDENT = sa.select(*_CLAIM).where(incident.c.id == sa.bindparam("incident"))
_BOTH = sa.select(
    dispatch.c.incident, dispatch.c.group, dispatch.c.tier, dispatch.c.due, dispatch.c.notified,
    dispatch.c.change, dispatch.c.claimed_by.label("was_claimed_by"), *_CLAIM,
).join_from(dispatch, incident, incident.c.id == dispatch.c.incident)  # fmt: skip
_NEXT_CLAIM = _BOTH.where(incident.c.claim_version != dispatch.c.claim_version).limit(1)
_NEXT_DUE = (
    _BOTH.where(dispatch.c.due <= sa.bindparam("now")).order_by(dispatch.c.due).limit(1)
)  # fmt: skip

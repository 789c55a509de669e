"""What people do about the rota: weekly shifts, and who takes one turn of a shift instead.

Each act is in the caller's transaction and leaves one fact of kind ``op`` with random ids, never a
name. A function returns False and changes nothing when somebody else was faster.
"""

import secrets
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from gateway.alerts.people.listeners import shift_of
from gateway.alerts.tables import shift, swap
from gateway.database.engine import serialise
from gateway.database.tables import account, queue_fact
from gateway.domain.dispatch import rota
from gateway.domain.dispatch.rota import Shift, Turn

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def draw_id() -> str:
    """A random id for a new shift."""
    return "".join(secrets.choice(_LETTERS) for _ in range(10))


def add(connection: sa.Connection, new: Shift, by: str, now: float) -> None:
    """The person with the id ``by`` adds a weekly shift; ``now`` in Unix s."""
    values: dict[str, object] = {
        "weekdays": sorted(new.weekdays), "start": new.start, "minutes": new.minutes,
        "since": new.since.isoformat(), "until": _iso(new.until), "site": new.site,
    }  # fmt: skip
    connection.execute(sa.insert(shift).values(id=new.id, account=new.person, **values))
    _note(connection, "shift_added", new.id, by, now, {"of": new.person, **values})


def end(connection: sa.Connection, shift_id: str, until: date | None, by: str, now: float) -> bool:
    """Set a shift's last day, or let it go on without an end."""
    query = sa.update(shift).where(shift.c.id == shift_id).values(until=_iso(until))
    if not connection.execute(query).rowcount:
        return False
    _note(connection, "shift_ended", shift_id, by, now, {"until": _iso(until)})
    return True


def remove(connection: sa.Connection, shift_id: str, by: str, now: float) -> Shift | None:
    """Remove a shift as if it had never been; returns it, None when there is none."""
    serialise(connection)
    row = connection.execute(sa.select(shift).where(shift.c.id == shift_id)).first()
    if row is None:
        return None
    connection.execute(sa.delete(swap).where(swap.c.shift == shift_id))
    connection.execute(sa.delete(shift).where(shift.c.id == shift_id))
    _note(connection, "shift_removed", shift_id, by, now, {"of": row.account})
    return shift_of(row)


def pass_on(
    connection: sa.Connection, shift_id: str, day: date, had: str | None, to: str | None, by: str,
    now: float, zone: ZoneInfo,
) -> bool:  # fmt: skip
    """``to`` takes the turn of ``had``; None is nobody. Not once the turn has ended."""
    serialise(connection)
    found = _turn(connection, shift_id, day, now, zone)
    holder = found and (_open_account(connection, found.person) or None)
    if found is None or holder != had or to == had:
        return False
    _set(connection, found, to, by, had)
    _note(connection, "turn_passed", shift_id, by, now, {"day": day.isoformat(), "to": to})
    return True


def undo(
    connection: sa.Connection, shift_id: str, day: date, by: str, now: float, zone: ZoneInfo,
    of_anybody: bool = False,
) -> bool:  # fmt: skip
    """The last change of a turn, by the same person, is undone; ``of_anybody``: by any person."""
    serialise(connection)
    found = _turn(connection, shift_id, day, now, zone)
    where = sa.and_(swap.c.shift == shift_id, swap.c.day == day.isoformat())
    row = connection.execute(sa.select(swap).where(where)).first()
    if found is None or row is None or row.changed_by is None:
        return False
    if row.changed_by != by and not of_anybody:
        return False
    _set(connection, found, row.before, None, None)
    passed = {"day": day.isoformat(), "to": row.before}
    _note(connection, "turn_passed_back", shift_id, by, now, passed)
    return True


def _turn(
    connection: sa.Connection, shift_id: str, day: date, now: float, zone: ZoneInfo
) -> Turn | None:
    """The turn of that day with who has it, ``""`` for nobody; None when there is none to come."""
    row = connection.execute(sa.select(shift).where(shift.c.id == shift_id)).first()
    if row is None:
        return None
    where = sa.and_(swap.c.shift == shift_id, swap.c.day == day.isoformat())
    changed = connection.execute(sa.select(swap.c.account).where(where)).first()
    swaps = {} if changed is None else {(shift_id, day): changed.account or ""}
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    end = start + timedelta(days=1)
    turns = rota.turns([shift_of(row)], swaps, start.timestamp(), end.timestamp(), zone)
    return next((turn for turn in turns if turn.day == day and turn.end > now), None)


def _set(
    connection: sa.Connection, turn: Turn, to: str | None, by: str | None, before: str | None
) -> None:
    query = sa.select(shift.c.account).where(shift.c.id == turn.shift)
    own = connection.execute(query).scalar()
    key = {"shift": turn.shift, "day": turn.day.isoformat()}
    where = sa.and_(swap.c.shift == key["shift"], swap.c.day == key["day"])
    connection.execute(sa.delete(swap).where(where))
    if to == own and by is None:  # as planned, and nothing to undo
        return
    connection.execute(
        sa.insert(swap).values(**key, account=to, changed_by=by, before=before)
    )  # fmt: skip


def _open_account(connection: sa.Connection, person: str) -> str | None:
    query = sa.select(account.c.id).where(account.c.id == person, account.c.disabled.is_(None))
    return connection.execute(query).scalar()


def _note(
    connection: sa.Connection,
    op: str,
    shift_id: str,
    by: str,
    now: float,
    data: Mapping[str, object],
) -> None:
    given = {name: value for name, value in data.items() if value is not None}
    body = {"op": op, "shift": shift_id, "person": by, **given}
    queue_fact(connection, f"op:{op}:{secrets.token_hex(8)}", now, "op", "-", body)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()

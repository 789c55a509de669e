"""Acts of people, called by pages and API: permission, one transaction, and the outcome.

Every function takes the visit of a signed-in person and raises NeedsSignIn without one.
"""

from collections.abc import Callable
from enum import Enum

import sqlalchemy as sa

from gateway.alerts import claims, closing
from server.accounts import devices, people
from server.accounts.people import Person
from server.web.guard import Visit


class Outcome(Enum):
    """How an act ended; only DONE and ASKED have changed anything."""

    DONE = "done"
    OVERTAKEN = "overtaken"
    """The incident is closed or unknown, or its claim belongs to somebody else."""
    NOT_ALLOWED = "not allowed"
    ASKED = "asked"
    """A theft is closed by two people: the first has asked, the incident is still open."""
    HELD = "held"
    """A coordinator has claimed it, and is the only one who closes it."""


def claim(visit: Visit, incident: str, minutes: int | None = None) -> Outcome:
    """The visitor goes, and arrives in ``minutes`` where they know it."""
    eta = None if minutes is None else visit.now + minutes * 60.0
    return _run(visit, lambda c: claims.claim(c, incident, visit.me.id, visit.now, eta))


def release(visit: Visit, incident: str) -> Outcome:
    """The visitor does not go after all; also the *undo* of a claim."""
    return _run(visit, lambda c: claims.release(c, incident, visit.me.id, visit.now))


def reassign(visit: Visit, incident: str, to: str) -> Outcome:
    """The person with the id ``to`` goes instead; NOT_ALLOWED unless they are active.

    A coordinator may hand over, or take, any claim: whoever has it may be out of reach.
    """
    me = visit.me
    is_mine = me.coordinates and to == me.id
    if not is_mine and to not in {person.id for person in colleagues(visit)}:
        return Outcome.NOT_ALLOWED
    return _run(visit, lambda c: claims.reassign(c, incident, me.id, to, visit.now, me.coordinates))


def close(visit: Visit, incident: str, why: claims.CloseReason) -> Outcome:
    """The incident is over; ``moved_by_us`` also explains to the watch why the tank moved.

    ASKED where a volunteer closes a theft: a second person has to agree.
    """
    return _closing(visit, lambda c, me: closing.close(c, incident, me, visit.now, why))


def agree(visit: Visit, incident: str) -> Outcome:
    """The visitor agrees to another person's request to close it."""
    return _closing(visit, lambda c, me: closing.agree(c, incident, me, visit.now))


def keep_open(visit: Visit, incident: str) -> Outcome:
    """The visitor refuses a request to close it; also the *undo* of their own."""
    return _closing(visit, lambda c, me: closing.keep_open(c, incident, me, visit.now))


def see(visit: Visit, incident: str, seen: claims.Seen) -> Outcome:
    """The visitor is beside the tank and reports its state: witnessed evidence.

    ASKED where that would end a theft: a second person has to agree.
    """
    return _closing(visit, lambda c, me: closing.see(c, incident, me, visit.now, seen))


def colleagues(visit: Visit) -> list[Person]:
    """Everybody to whom the visitor can pass a claim: active accounts other than their own."""
    everyone = people.everyone(visit.parts.engine)
    return [p for p in everyone if not p.disabled and p.id != visit.me.id]


def sign_in(visit: Visit, login: str, password: str) -> tuple[Person | None, float]:
    """The person, or None with the seconds to wait before the next attempt (0: none).

    Raises Busy when too many passwords are being checked; that is no attempt.
    """
    parts, now, source = visit.parts, visit.parts.real.now(), visit.source
    device = devices.known(parts.engine, login, visit.device_cookie, now)
    wait_s = parts.attempts.wait_s(login, source, now, device)
    if wait_s > 0:
        return None, wait_s
    person = parts.hashing.run(
        lambda: people.check(parts.engine, login, password),
        # before the slow check: parallel attempts count too
        admitted=lambda: parts.attempts.failed(login, source, now, device),
        known=bool(device),
    )
    if person is not None:
        parts.attempts.passed(login, source, device)
    return person, 0.0


_OUTCOMES = {
    "done": Outcome.DONE,
    "asked": Outcome.ASKED,
    "held": Outcome.HELD,
    "overtaken": Outcome.OVERTAKEN,
}


def _closing(
    visit: Visit, act: Callable[[sa.Connection, closing.Actor], closing.Outcome]
) -> Outcome:
    me = closing.Actor(visit.me.id, visit.me.coordinates)
    with visit.parts.engine.begin() as connection:
        return _OUTCOMES[act(connection, me)]


def _run(visit: Visit, act: Callable[[sa.Connection], bool]) -> Outcome:
    with visit.parts.engine.begin() as connection:
        return Outcome.DONE if act(connection) else Outcome.OVERTAKEN

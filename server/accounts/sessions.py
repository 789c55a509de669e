"""Sessions: a random token in a cookie, its hash in the database.

Times are real Unix seconds, even where the installation's clock runs fast.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Collection

import sqlalchemy as sa

from gateway.database.tables import account
from server.accounts.people import Person, person_of
from server.accounts.tables import session

IDLE_S = 14 * 86400.0
"""A session ends when it was not used for this long."""
LONGEST_S = 90 * 86400.0
MOST = 40
"""Sessions of one account: a program that signs in for every call would fill the database."""
_TOUCH_S = 3600.0  # one write an hour is exact enough


def begin(engine: sa.Engine, person: Person, now: float) -> str:
    """Begin a session; returns its token, which is not stored.

    Deletes expired sessions, and those of this account that were used longest ago beyond MOST.
    """
    token = secrets.token_urlsafe(32)
    with engine.begin() as connection:
        connection.execute(
            sa.delete(session).where(
                (session.c.seen < now - IDLE_S) | (session.c.created < now - LONGEST_S)
            )
        )
        newest = (
            sa.select(session.c.token_hash)
            .where(session.c.account == person.id)
            .order_by(session.c.seen.desc(), session.c.created.desc())
            .limit(MOST - 1)
        )
        connection.execute(
            sa.delete(session).where(
                session.c.account == person.id, session.c.token_hash.not_in(newest)
            )
        )
        connection.execute(
            sa.insert(session).values(
                token_hash=hash_of(token), account=person.id, created=now, seen=now
            )
        )
    return token


def find(engine: sa.Engine, token: str, now: float) -> Person | None:
    """The person of the session with this token, or None."""
    if not 20 <= len(token) <= 100:
        return None
    where = session.c.token_hash == hash_of(token)
    with engine.connect() as connection:
        row = connection.execute(
            sa.select(account, session.c.seen, session.c.created.label("began"))
            .join(session, session.c.account == account.c.id)
            .where(where, account.c.disabled.is_(None))
        ).first()
    if row is None or now - row.seen > IDLE_S or now - row.began > LONGEST_S:
        return None
    if now - row.seen > _TOUCH_S:
        with engine.begin() as connection:
            connection.execute(sa.update(session).where(where).values(seen=now))
    return person_of(row)


def alive(engine: sa.Engine, hashes: Collection[str], now: float) -> dict[str, Person]:
    """Of the sessions with these hashes, those that have not ended, with their persons."""
    with engine.connect() as connection:
        rows = connection.execute(
            sa.select(account, session.c.token_hash)
            .join(session, session.c.account == account.c.id)
            .where(
                session.c.token_hash.in_(hashes), account.c.disabled.is_(None),
                session.c.seen >= now - IDLE_S, session.c.created >= now - LONGEST_S,
            )
        ).all()  # fmt: skip
    return {row.token_hash: person_of(row) for row in rows}


def hash_of(token: str) -> str:
    """How a session is stored and named where its token must not be."""
    return hashlib.sha256(token.encode()).hexdigest()


def end(engine: sa.Engine, token: str) -> None:
    """End a session; does nothing for an unknown token."""
    with engine.begin() as connection:
        connection.execute(sa.delete(session).where(session.c.token_hash == hash_of(token)))


def form_token(secret: str) -> str:
    """The hidden field that proves that a form comes from one of our pages.

    Derived from the cookie's secret and masked with fresh random bytes, so that the size of a
    compressed page reveals nothing about it (the BREACH attack).
    """
    mask = secrets.token_bytes(32)
    return base64.urlsafe_b64encode(mask + _xor(mask, _form_key(secret))).decode()


def is_form_token(secret: str, token: str) -> bool:
    """Whether ``token`` was made from this cookie's secret, in constant time."""
    try:
        raw = base64.urlsafe_b64decode(token.encode())
    except ValueError:
        return False
    if len(raw) != 64:
        return False
    return hmac.compare_digest(_xor(raw[:32], raw[32:]), _form_key(secret))


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left) ^ int.from_bytes(right)).to_bytes(32)


def _form_key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"noria-form-1", "sha256")

"""Links to a person's calendar: a random token in the address, its hash in the database."""

import hashlib
import secrets

import sqlalchemy as sa

from gateway.database.engine import upsert
from gateway.database.tables import account
from server.accounts.people import Person, person_of
from server.accounts.tables import calendar_link

_BYTES = 24  # 192 bits


def renew(engine: sa.Engine, person: Person) -> str:
    """A new token, which is not stored; the person's old one no longer opens anything."""
    token = secrets.token_urlsafe(_BYTES)
    with engine.begin() as connection:
        upsert(connection, calendar_link, [(person.id, _hash(token))])
    return token


def remove(engine: sa.Engine, person: Person) -> None:
    """The person's token no longer opens anything."""
    with engine.begin() as connection:
        own = calendar_link.c.account == person.id
        connection.execute(sa.delete(calendar_link).where(own))


def exists(engine: sa.Engine, person: Person) -> bool:
    """Whether the person has a token."""
    query = sa.select(calendar_link.c.account).where(calendar_link.c.account == person.id)
    with engine.connect() as connection:
        return connection.execute(query).first() is not None


def find(engine: sa.Engine, token: str) -> Person | None:
    """Whose token this is; None for an unknown or old one, and of a closed account."""
    query = (
        sa.select(account)
        .join(calendar_link, calendar_link.c.account == account.c.id)
        .where(calendar_link.c.token_hash == _hash(token), account.c.disabled.is_(None))
    )
    with engine.connect() as connection:
        row = connection.execute(query).first()
    return None if row is None else person_of(row)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

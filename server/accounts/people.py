"""Accounts: add, list, check a password, disable."""

import re
import secrets
import unicodedata
from dataclasses import dataclass
from typing import Literal, get_args

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.exc import IntegrityError

from gateway.database.tables import account
from gateway.errors import NoriaError
from server.accounts.tables import session

Role = Literal["volunteer", "coordinator"]
ROLES: tuple[Role, ...] = get_args(Role)
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_hasher = PasswordHasher()  # argon2id, RFC 9106's second choice: 64 MiB, 3 passes
# The hash of a forgotten random password, checked for an unknown login so that it takes as long.
_nobody = (
    "$argon2id$v=19$m=65536,t=3,p=4$"
    "KkMZ8fZFbyM2aZUp+gGrWg$MympLCH5j5B6hEFV41jrDOgtwZag5/RCh5H28t04DTU"
)


class AccountError(NoriaError):
    """An account cannot be added or found; the message names the reason and a remedy."""


@dataclass(frozen=True, slots=True)
class Person:
    """One account as pages see it."""

    id: str
    name: str
    login: str
    role: Role
    disabled: bool = False

    @property
    def coordinates(self) -> bool:
        """Whether the person may see devices and people."""
        return self.role == "coordinator"


def login_of(name: str) -> str:
    """A login made from a name: ``Van 2`` becomes ``van-2``."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def draw_password() -> str:
    """A random password of four groups of four letters: 80 bits, readable over the phone."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def add(
    engine: sa.Engine, name: str, role: Role, password: str, now: float, login: str = ""
) -> Person:
    """Add an account. ``now`` in Unix s. Raises AccountError naming what is wrong."""
    name, login = " ".join(name.split()), (login or login_of(name)).lower()
    if not name or len(name) > 40:
        raise AccountError("a name has 1 to 40 characters; for example: Van 2")
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,39}", login):
        raise AccountError(f"login {login!r}: use 1 to 40 of a-z, 0-9, dot, dash; choose another")
    if role not in ROLES:
        raise AccountError(f"role {role!r}: use one of {', '.join(ROLES)}")
    person = Person("".join(secrets.choice(_LETTERS) for _ in range(10)), name, login, role)
    row = {"id": person.id, "name": name, "login": login, "role": role, "created": now}
    try:
        with engine.begin() as connection:
            connection.execute(sa.insert(account).values(**row, password=_hash(password)))
    except IntegrityError as error:
        raise AccountError(f"login {login!r} is taken: choose another with --login") from error
    return person


def set_password(engine: sa.Engine, login: str, password: str) -> Person:
    """Set a password; every session of the account ends. Raises AccountError."""
    person = find(engine, login)
    with engine.begin() as connection:
        connection.execute(
            sa.update(account).where(account.c.id == person.id).values(password=_hash(password))
        )
        connection.execute(sa.delete(session).where(session.c.account == person.id))
    return person


def set_disabled(engine: sa.Engine, person: str, now: float | None) -> None:
    """Close an account at ``now`` (its sessions end), or open it again with None."""
    with engine.begin() as connection:
        connection.execute(sa.update(account).where(account.c.id == person).values(disabled=now))
        if now is not None:
            connection.execute(sa.delete(session).where(session.c.account == person))


def find(engine: sa.Engine, login: str) -> Person:
    """The account with this login. Raises AccountError when there is none."""
    with engine.connect() as connection:
        row = connection.execute(
            sa.select(account).where(account.c.login == login.strip().lower())
        ).first()
    if row is None:
        raise AccountError(f"no account has the login {login!r}: see 'noria user list'")
    return person_of(row)


def everyone(engine: sa.Engine) -> list[Person]:
    """All accounts, by name."""
    with engine.connect() as connection:
        rows = connection.execute(sa.select(account).order_by(account.c.name)).all()
    return [person_of(row) for row in rows]


def check(engine: sa.Engine, login: str, password: str) -> Person | None:
    """The person with this login and password, or None, in the same time."""
    with engine.connect() as connection:
        row = connection.execute(
            sa.select(account).where(account.c.login == login.strip().lower())
        ).first()
    try:
        _hasher.verify(row.password if row else _nobody, password[: LONGEST_PASSWORD + 1])
    except (VerificationError, InvalidHashError):
        return None
    if row is None or row.disabled is not None:
        return None
    if _hasher.check_needs_rehash(row.password):
        with engine.begin() as connection:
            connection.execute(
                sa.update(account)
                .where(account.c.id == row.id)
                .values(password=_hasher.hash(password))
            )
    return person_of(row)


def person_of(row: sa.Row[tuple[object, ...]]) -> Person:
    """A row of ``account`` as a Person."""
    return Person(row.id, row.name, row.login, row.role, row.disabled is not None)


def _hash(password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise AccountError(
            f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; "
            "a few unrelated words are good"
        )
    return _hasher.hash(password)

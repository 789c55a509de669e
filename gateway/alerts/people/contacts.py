"""Where persons are reached: entered and verified by themselves, sealed, shown as ``…42``."""

import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, Protocol

import sqlalchemy as sa

from gateway.alerts.people.keys import Key
from gateway.alerts.tables import contact
from gateway.errors import NoriaError

__all__ = ["Contact", "ContactError", "Key", "Keys"]

CODE_S = 15 * 60.0
CODE_TRIES = 5
MOST = 5  # contacts of one person
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_LONGEST = 200
_EMAIL = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+\.[^\s@,;<>\"]+")
_PHONE = re.compile(r"\+\d{6,15}")


Trouble = Literal[
    "known", "many", "removed", "old_code", "wrong_code", "no_address", "no_email", "no_phone"
]


class ContactError(NoriaError):
    """A contact cannot be added or verified; the message names the reason and the remedy.

    ``trouble`` is the same for programs: pages have their own words for each.
    """

    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble: Trouble = trouble


class Keys(Protocol):
    """Gives the key of the contacts, None while they are locked."""

    def get(self) -> Key | None:
        """The key, None while it is locked."""
        ...


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact as its owner's page shows it; the address is not in it."""

    id: str
    service: str
    ending: str
    is_verified: bool


def add(
    connection: sa.Connection, key: Key, person: str, service: str, address: str, now: float
) -> tuple[Contact, str]:
    """Add a contact that is not verified yet; returns it and the code to send there.

    ``address`` as ``usual`` returns it. A new code for a contact that waits replaces the old one.
    Raises ContactError.
    """
    tag = key.tag(address, service)
    known = sa.and_(contact.c.account == person, contact.c.tag == tag)
    row = connection.execute(sa.select(contact).where(known)).first()
    if row is not None and row.verified is not None:
        raise ContactError("known", f"{row.ending} is one of your contacts already")
    if row is None:
        if len(of(connection, person)) >= MOST:
            raise ContactError("many", f"you have {MOST} contacts: remove one first")
        row_id = "".join(secrets.choice(_LETTERS) for _ in range(12))
        highest = connection.execute(
            sa.select(sa.func.max(contact.c.rank)).where(contact.c.account == person)
        ).scalar()
        connection.execute(
            sa.insert(contact).values(
                id=row_id, account=person, service=service, tag=tag, rank=(highest or 0) + 1,
                sealed=key.seal(address, row_id), ending=f"…{address[-2:]}", code_tries=0,
            )
        )  # fmt: skip
    else:
        row_id = row.id
    code = f"{secrets.randbelow(1_000_000):06d}"
    connection.execute(
        sa.update(contact)
        .where(contact.c.id == row_id)
        .values(code_tag=key.tag(code, row_id), code_until=now + CODE_S, code_tries=0)
    )
    return Contact(row_id, service, f"…{address[-2:]}", False), code


def verify(
    connection: sa.Connection, key: Key, person: str, contact_id: str, code: str, now: float
) -> None:
    """The person has read the code. Raises ContactError for a wrong or an old one."""
    own = sa.and_(contact.c.id == contact_id, contact.c.account == person)
    row = connection.execute(sa.select(contact).where(own)).first()
    if row is None:
        raise ContactError("removed", "this contact was removed: add it again")
    if row.verified is not None:
        return
    if row.code_until is None or now >= row.code_until or row.code_tries >= CODE_TRIES:
        raise ContactError("old_code", "this code is too old: have a new one sent")
    digits = re.sub(r"\D", "", code)
    if not hmac.compare_digest(key.tag(digits, contact_id), row.code_tag):
        connection.execute(sa.update(contact).where(own).values(code_tries=row.code_tries + 1))
        raise ContactError("wrong_code", "this is not the code that was sent: check its six digits")
    done = {"verified": now, "code_tag": None, "code_until": None}
    connection.execute(sa.update(contact).where(own).values(**done))


def remove(connection: sa.Connection, person: str, contact_id: str) -> bool:
    """Remove a contact; returns whether there was one."""
    own = sa.and_(contact.c.id == contact_id, contact.c.account == person)
    return connection.execute(sa.delete(contact).where(own)).rowcount == 1


def put_first(connection: sa.Connection, person: str, contact_id: str) -> None:
    """Let this contact be tried before the person's others."""
    lowest = connection.execute(
        sa.select(sa.func.min(contact.c.rank)).where(contact.c.account == person)
    ).scalar()
    own = sa.and_(contact.c.id == contact_id, contact.c.account == person)
    connection.execute(sa.update(contact).where(own).values(rank=(lowest or 0) - 1))


def of(connection: sa.Connection, person: str) -> list[Contact]:
    """A person's contacts, the first to try first."""
    query = sa.select(contact).where(contact.c.account == person)
    rows = connection.execute(query.order_by(contact.c.rank, contact.c.id))
    return [Contact(r.id, r.service, r.ending, r.verified is not None) for r in rows]


def first(connection: sa.Connection, person: str, services: Collection[str]) -> str | None:
    """The id of the verified contact of these services that is tried first; None without one."""
    mine = of(connection, person)
    return next((c.id for c in mine if c.is_verified and c.service in services), None)


def after(connection: sa.Connection, person: str, contact_id: str) -> str | None:
    """The id of the verified contact that is tried after another; None after the last."""
    ids = [c.id for c in of(connection, person) if c.is_verified]
    if contact_id not in ids:  # it was removed
        return ids[0] if ids else None
    place = ids.index(contact_id) + 1
    return ids[place] if place < len(ids) else None


def address(connection: sa.Connection, key: Key, contact_id: str) -> str | None:
    """The address, None when the contact was removed. Raises ContactKeyError for another key."""
    query = sa.select(contact.c.sealed).where(contact.c.id == contact_id)
    sealed = connection.execute(query).scalar()
    return None if sealed is None else key.open(sealed, contact_id)


def usual(address: str) -> str:
    """An address as it is compared and stored: without spaces, an e-mail in small letters.

    Raises ContactError that does not repeat the address.
    """
    text = "".join(address.split())
    if not 0 < len(text) <= _LONGEST or not text.isprintable():
        raise ContactError("no_address", f"an address has 1 to {_LONGEST} characters")
    if "@" in text and not text.startswith("@") and ":" not in text:
        if not _EMAIL.fullmatch(text):
            raise ContactError(
                "no_email", "this is not an e-mail address; for example: name@example.org"
            )
        return text.lower()
    digits = re.sub(r"[().\-/]", "", text)
    if re.fullmatch(r"\+?\d+", digits):
        number = f"+{digits[2:]}" if digits.startswith("00") else digits
        if number.startswith("+") and not _PHONE.fullmatch(number):
            raise ContactError("no_phone", "a phone number has 6 to 15 digits after the +")
        return number
    return text

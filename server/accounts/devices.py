"""Devices from which an account was entered before: a signed cookie, nothing stored.

The cookie names nobody. Its signature is made with the account's password hash, so that a new
password ends it, and several accounts of one device have one signature each.
"""

import hmac
import secrets

import sqlalchemy as sa

from gateway.database.tables import account

LASTS_S = 400 * 86400.0
"""The longest that browsers keep a cookie."""
MOST = 5
_BETWEEN, _WITHIN = "~", "."


def known(engine: sa.Engine, login: str, cookie: str, now: float) -> str:
    """The random id under which this device knows the account; empty for a stranger's."""
    if not cookie:
        return ""
    key = _key(engine, login)
    return next((_id(one) for one in _parts(cookie) if _is_of(one, key, now)), "")


def remember(engine: sa.Engine, login: str, cookie: str, now: float) -> str:
    """The cookie after this account was entered; others of this device keep their signature."""
    key = _key(engine, login)
    begun = f"{secrets.token_urlsafe(12)}{_WITHIN}{int(now):x}"
    others = [one for one in _parts(cookie) if not _is_of(one, key, now)]
    return _BETWEEN.join([f"{begun}{_WITHIN}{_sign(key, begun)}", *others][:MOST])


def _parts(cookie: str) -> list[str]:
    return [one for one in cookie.split(_BETWEEN)[:MOST] if one.count(_WITHIN) == 2]


def _id(one: str) -> str:
    return one.split(_WITHIN)[0]


def _is_of(one: str, key: bytes, now: float) -> bool:
    begun, _, signature = one.rpartition(_WITHIN)
    if not hmac.compare_digest(signature.encode(), _sign(key, begun).encode()):
        return False
    return now - int(begun.partition(_WITHIN)[2], 16) < LASTS_S


def _sign(key: bytes, begun: str) -> str:
    return hmac.digest(key, begun.encode(), "sha256").hex()


def _key(engine: sa.Engine, login: str) -> bytes:
    """Of an unknown account: one that nobody has, so that nothing tells it from a known one."""
    query = sa.select(account.c.password).where(account.c.login == login.strip().lower())
    with engine.connect() as connection:
        found = connection.execute(query).scalar()
    secret = found.encode() if found else secrets.token_bytes(32)
    return hmac.digest(secret, b"noria-device-1", "sha256")

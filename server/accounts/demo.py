"""The demo's visitor: a coordinator without a known password."""

import os

import sqlalchemy as sa

from gateway.settings import Settings, listen_address
from server.accounts import people
from server.accounts.people import AccountError, Person

LOGIN = "demo"
MARK = "NORIA_DEMO"
"""Names the configuration of a running ``noria demo``, in the environment of its programs."""
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def code(settings: Settings) -> str:
    """The code that signs in; empty outside of ``noria demo`` and off this machine's own address.

    The setting alone is not enough: a demo's configuration that somebody copied opens nothing.
    """
    host, _ = listen_address("server_listen", settings.server_listen)
    ours = os.environ.get(MARK) == str(settings.source) and host in _LOOPBACK
    return settings.demo_code if ours else ""


def visitor(engine: sa.Engine, now: float) -> Person:
    """The demo's account, added when missing. ``now``: real Unix s."""
    try:
        return people.find(engine, LOGIN)
    except AccountError:
        password = people.draw_password()  # never shown: the demo's link is the only way in
        return people.add(engine, "Van 1", "coordinator", password, now, LOGIN)

"""The demo's visitor: a coordinator without a known password."""

import sqlalchemy as sa

from server.accounts import people
from server.accounts.people import AccountError, Person

LOGIN = "demo"


def visitor(engine: sa.Engine, now: float) -> Person:
    """The demo's account, added when missing. ``now``: real Unix s."""
    try:
        return people.find(engine, LOGIN)
    except AccountError:
        password = people.draw_password()  # never shown: the demo's link is the only way in
        return people.add(engine, "Van 1", "coordinator", password, now, LOGIN)

"""The table of sessions: what each row must have, and what is searched."""

from dataclasses import FrozenInstanceError

import pytest
import sqlalchemy as sa

from gateway.database.tables import account, metadata
from server.accounts import sessions
from server.accounts.people import Person
from server.accounts.tables import session


def test_a_session_has_every_value_and_one_row_for_each_token() -> None:
    assert session.name == "session"
    assert [column.name for column in session.primary_key] == ["token_hash"]
    assert [column.name for column in session.columns if column.nullable] == []
    assert [[c.name for c in index.columns] for index in session.indexes] == [["account"]]


def test_a_person_cannot_be_changed() -> None:
    person = Person("id", "Van 2", "van-2", "volunteer")
    with pytest.raises(FrozenInstanceError):
        person.role = "coordinator"  # pyright: ignore[reportAttributeAccessIssue]
    assert not hasattr(person, "__dict__")


@pytest.mark.parametrize("own", ["aaa", "mmm", "zzz"])
def test_a_session_is_of_its_own_account_among_others(own: str) -> None:
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine, tables=[account, session])
    rows = [
        {"id": name, "name": name, "login": name, "role": "volunteer", "password": "*",
         "created": 0.0}
        for name in ("mmm", "aaa", "zzz")
    ]  # fmt: skip
    with engine.begin() as connection:
        connection.execute(sa.insert(account), rows)
    person = Person(own, own, own, "volunteer")
    token = sessions.begin(engine, person, 1.0)
    assert sessions.find(engine, token, 1.0) == person
    with engine.begin() as connection:
        connection.execute(sa.update(account).where(account.c.id == own).values(disabled=1.0))
    assert sessions.find(engine, token, 1.0) is None
    engine.dispose()

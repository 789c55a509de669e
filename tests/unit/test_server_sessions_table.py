"""The table of sessions: what each row must have, and what is searched."""

from dataclasses import FrozenInstanceError

import pytest

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

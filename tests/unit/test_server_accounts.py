"""Accounts and sessions: limits of every field, who may sign in, and for how long."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from gateway.database.tables import account, metadata
from server.accounts import demo, people, sessions
from server.accounts.people import AccountError, Person
from server.accounts.tables import session

NOW = 1795267920.0
DAY = 86400.0
GOOD = "correct-horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sa.Engine]:
    """An empty database; passwords are hashed at a low cost."""
    monkeypatch.setattr(people, "_hasher", CHEAP)
    monkeypatch.setattr(people, "_nobody", CHEAP.hash("nobody"))
    made = sa.create_engine(f"sqlite:///{tmp_path}/noria.db")
    metadata.create_all(made, tables=[account, session])
    yield made
    made.dispose()


def add(engine: sa.Engine, name: str = "Van 2", **more: str) -> Person:
    password, login = more.get("password", GOOD), more.get("login", "")
    return people.add(engine, name, "volunteer", password, NOW, login)


def stored(engine: sa.Engine) -> list[tuple[str, float, float]]:
    """The account, beginning and last use of each session."""
    with engine.connect() as connection:
        rows = connection.execute(sa.select(session).order_by(session.c.created)).all()
    return [(row.account, row.created, row.seen) for row in rows]


def test_passwords_and_unknown_logins_cost_what_rfc_9106_recommends() -> None:
    made = people._hasher  # RFC 9106, section 4, second choice: 64 MiB, 3 passes, 4 lanes
    assert (made.memory_cost, made.time_cost, made.parallelism) == (65536, 3, 4)
    assert (made.type.name, made.check_needs_rehash(people._nobody)) == ("ID", False)


@pytest.mark.parametrize(
    ("name", "login"),
    [
        ("Van 2", "van-2"),
        (" Élodie  Ô ", "elodie-o"),
        ("--X--", "x"),
        ("水", ""),
        ("a.b_c", "a-b-c"),
    ],
)
def test_a_login_is_made_from_the_name(name: str, login: str) -> None:
    assert people.login_of(name) == login


def test_a_drawn_password_is_four_groups_of_four_letters() -> None:
    drawn = {people.draw_password() for _ in range(50)}
    assert len(drawn) == 50
    for one in drawn:
        assert [len(group) for group in one.split("-")] == [4, 4, 4, 4]
        assert set(one) <= set("abcdefghijklmnopqrstuvwxyz234567-")


def test_an_account_has_every_given_field(engine: sa.Engine) -> None:
    person = people.add(engine, "  Van \t 2 ", "coordinator", GOOD, NOW, "Van.Two")
    assert (person.name, person.login, person.role) == ("Van 2", "van.two", "coordinator")
    assert (person.disabled, person.coordinates) == (False, True)
    assert len(person.id) == 10
    assert set(person.id) <= set("abcdefghijklmnopqrstuvwxyz234567")
    with engine.connect() as connection:
        row = connection.execute(sa.select(account)).one()
    assert (row.id, row.name, row.login, row.role) == (person.id, "Van 2", "van.two", "coordinator")
    assert (row.created, row.disabled) == (NOW, None)
    assert CHEAP.verify(row.password, GOOD)
    assert people.find(engine, " VAN.two ") == person


def test_a_volunteer_does_not_coordinate(engine: sa.Engine) -> None:
    person = add(engine)
    assert (person.login, person.role, person.coordinates) == ("van-2", "volunteer", False)


@pytest.mark.parametrize(
    ("name", "login", "password", "reason"),
    [
        ("  ", "x", GOOD, "a name has 1 to 40 characters"),
        ("n" * 41, "x", GOOD, "a name has 1 to 40 characters"),
        ("水", "", GOOD, "login '': use 1 to 40 of a-z"),
        ("Van", "l" * 41, GOOD, "use 1 to 40 of a-z, 0-9, dot, dash; choose another"),
        ("Van", "-a", GOOD, "login '-a': use 1 to 40"),
        ("Van", "a b", GOOD, "login 'a b': use 1 to 40"),
        ("Van", "x", "p" * 9, "a password has 10 to 200 characters; a few unrelated words"),
        ("Van", "x", "p" * 201, "a password has 10 to 200 characters"),
    ],
)
def test_an_account_is_refused_with_its_reason(
    engine: sa.Engine, name: str, login: str, password: str, reason: str
) -> None:
    with pytest.raises(AccountError, match=reason):
        add(engine, name, login=login, password=password)
    assert people.everyone(engine) == []


@pytest.mark.parametrize(
    ("name", "login", "password"),
    [("n" * 40, "x", GOOD), ("V", "l" * 40, "p" * 10), ("V", "0.-_", "p" * 200), ("V", "", GOOD)],
)
def test_the_limits_themselves_are_accepted(
    engine: sa.Engine, name: str, login: str, password: str
) -> None:
    person = add(engine, name, login=login, password=password)
    assert people.check(engine, person.login, password) == person


def test_a_role_is_one_of_two(engine: sa.Engine) -> None:
    with pytest.raises(AccountError, match="role 'root': use one of volunteer, coordinator"):
        people.add(engine, "Van", "root", GOOD, NOW)  # pyright: ignore[reportArgumentType]


def test_a_login_is_unique(engine: sa.Engine) -> None:
    add(engine)
    with pytest.raises(AccountError, match="login 'van-2' is taken: choose another with --login"):
        add(engine, "VAN 2")
    assert len(people.everyone(engine)) == 1


def test_accounts_are_listed_by_name(engine: sa.Engine) -> None:
    for name in ("Sam", "Ann", "Van 2"):
        add(engine, name)
    assert [person.name for person in people.everyone(engine)] == ["Ann", "Sam", "Van 2"]
    with pytest.raises(AccountError, match="no account has the login 'eve': see 'noria user list'"):
        people.find(engine, "eve")


def test_only_the_right_password_of_an_open_account_passes(engine: sa.Engine) -> None:
    person, other = add(engine), add(engine, "Ann", password="another-password")
    assert people.check(engine, " Van-2 ", GOOD) == person
    for login, password in (("van-2", GOOD + "x"), ("ann", GOOD), ("eve", GOOD), ("eve", "nobody")):
        assert people.check(engine, login, password) is None
    people.set_disabled(engine, person.id, NOW)
    assert people.check(engine, "van-2", GOOD) is None
    assert people.find(engine, "van-2").disabled
    assert people.check(engine, "ann", "another-password") == other
    people.set_disabled(engine, person.id, None)
    assert people.check(engine, "van-2", GOOD) == person


def test_a_password_is_compared_whole(engine: sa.Engine) -> None:
    longest = "p" * 200
    add(engine, password=longest)
    assert people.check(engine, "van-2", longest + "p") is None
    assert people.check(engine, "van-2", longest[:-1]) is None


def test_a_broken_hash_lets_nobody_in(engine: sa.Engine) -> None:
    add(engine)
    with engine.begin() as connection:
        connection.execute(sa.update(account).values(password="*"))
    assert people.check(engine, "van-2", "*") is None


def test_a_weaker_hash_is_replaced_at_the_next_sign_in(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, other = add(engine), add(engine, "Ann")
    hashes = sa.select(account.c.id, account.c.password)
    with engine.connect() as connection:
        before = {row.id: row.password for row in connection.execute(hashes)}
    assert people.check(engine, "van-2", GOOD) == person
    with engine.connect() as connection:
        assert {row.id: row.password for row in connection.execute(hashes)} == before
    monkeypatch.setattr(people, "_hasher", PasswordHasher(2, 16, 1))
    assert people.check(engine, "van-2", GOOD + "x") is None
    assert people.check(engine, "van-2", GOOD) == person
    with engine.connect() as connection:
        after = {row.id: row.password for row in connection.execute(hashes)}
    assert "m=16,t=2,p=1" in after[person.id]
    assert after[other.id] == before[other.id]
    assert people.check(engine, "van-2", GOOD) == person


def test_a_new_password_or_a_closed_account_ends_its_own_sessions(engine: sa.Engine) -> None:
    van, ann = add(engine), add(engine, "Ann")
    for person in (van, ann):
        sessions.begin(engine, person, NOW)
    assert people.set_password(engine, "van-2", "another-password") == van
    assert [row[0] for row in stored(engine)] == [ann.id]
    assert people.check(engine, "van-2", "another-password") == van
    assert people.check(engine, "van-2", GOOD) is None
    assert people.check(engine, "ann", GOOD) == ann
    people.set_disabled(engine, ann.id, None)
    assert len(stored(engine)) == 1
    sessions.begin(engine, van, NOW + 1)
    people.set_disabled(engine, ann.id, NOW)
    assert [row[0] for row in stored(engine)] == [van.id]
    assert not people.find(engine, "van-2").disabled
    with pytest.raises(AccountError, match="a password has"):
        people.set_password(engine, "van-2", "short")


def test_a_session_is_found_by_its_token_alone(engine: sa.Engine) -> None:
    van, ann = add(engine), add(engine, "Ann")
    token, other = sessions.begin(engine, van, NOW), sessions.begin(engine, ann, NOW + 1)
    assert len(token) == 43  # 32 bytes in base64
    assert sessions.find(engine, token, NOW) == van
    assert sessions.find(engine, other, NOW + 1) == ann
    assert sessions.find(engine, token[:-1], NOW) is None
    assert stored(engine) == [(van.id, NOW, NOW), (ann.id, NOW + 1, NOW + 1)]
    people.set_disabled(engine, ann.id, None)
    sessions.end(engine, token)
    sessions.end(engine, "unknown")
    assert sessions.find(engine, token, NOW) is None
    assert sessions.find(engine, other, NOW + 1) == ann


@pytest.mark.parametrize(("length", "found"), [(19, False), (20, True), (100, True), (101, False)])
def test_only_tokens_of_a_sane_length_are_looked_up(
    engine: sa.Engine, length: int, found: bool
) -> None:
    van, token = add(engine), "t" * length
    row = {"token_hash": sessions.hash_of(token), "account": van.id, "created": NOW, "seen": NOW}
    with engine.begin() as connection:
        connection.execute(sa.insert(session).values(**row))
    assert (sessions.find(engine, token, NOW) == van) == found


def test_a_disabled_account_has_no_session(engine: sa.Engine) -> None:
    van = add(engine)
    token = sessions.begin(engine, van, NOW)
    with engine.begin() as connection:
        connection.execute(sa.update(account).values(disabled=NOW))
    assert sessions.find(engine, token, NOW) is None


def test_a_session_ends_after_fourteen_days_unused_or_ninety_days(engine: sa.Engine) -> None:
    van = add(engine)
    token = sessions.begin(engine, van, NOW)
    assert sessions.find(engine, token, NOW + 14 * DAY + 0.1) is None
    assert sessions.find(engine, token, NOW + 14 * DAY) == van
    for days in (28, 42, 56, 70, 84, 90):
        assert sessions.find(engine, token, NOW + days * DAY) == van
    assert sessions.find(engine, token, NOW + 90 * DAY + 0.1) is None


def test_the_last_use_is_written_once_an_hour(engine: sa.Engine) -> None:
    van, ann = add(engine), add(engine, "Ann")
    token = sessions.begin(engine, van, NOW)
    sessions.begin(engine, ann, NOW + 1)
    sessions.find(engine, token, NOW + 3600)
    assert stored(engine) == [(van.id, NOW, NOW), (ann.id, NOW + 1, NOW + 1)]
    sessions.find(engine, token, NOW + 3600.5)
    assert stored(engine) == [(van.id, NOW, NOW + 3600.5), (ann.id, NOW + 1, NOW + 1)]


def test_a_new_session_deletes_those_that_have_expired(engine: sa.Engine) -> None:
    van = add(engine)
    rows = [
        ("idle", NOW - 20 * DAY, NOW - 14 * DAY - 1),
        ("used", NOW - 20 * DAY, NOW - 14 * DAY),
        ("old", NOW - 90 * DAY - 1, NOW),
        ("aged", NOW - 90 * DAY, NOW),
    ]
    with engine.begin() as connection:
        for name, created, seen in rows:
            row = {"token_hash": name, "account": van.id, "created": created, "seen": seen}
            connection.execute(sa.insert(session).values(**row))
    token = sessions.begin(engine, van, NOW)
    with engine.connect() as connection:
        left = set(connection.execute(sa.select(session.c.token_hash)).scalars())
    assert left == {"used", "aged", sessions.hash_of(token)}


def test_a_form_token_belongs_to_its_secret() -> None:
    token = sessions.form_token("secret")
    assert len(token) == 88  # 64 bytes in base64
    assert sessions.is_form_token("secret", token)
    assert sessions.form_token("secret") != token
    assert not sessions.is_form_token("another", token)
    changed = ("A" if token[0] != "A" else "B") + token[1:]
    longer = base64.urlsafe_b64encode(bytes(96)).decode()
    for wrong in ("", "x", "é", token[:-4], token[:84], longer, changed):
        assert not sessions.is_form_token("secret", wrong)


def test_the_demos_visitor_is_one_coordinator(engine: sa.Engine) -> None:
    first = demo.visitor(engine, NOW)
    assert (first.name, first.login, first.coordinates) == ("Van 1", "demo", True)
    assert demo.visitor(engine, NOW + 1) == first
    assert people.everyone(engine) == [first]
    with engine.connect() as connection:
        assert connection.execute(sa.select(account.c.created)).scalars().all() == [NOW]

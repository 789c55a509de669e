"""The signed cookie of a device from which an account was entered before."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from gateway.database.tables import account, metadata
from server.accounts import devices
from server.web.proxies import Proxies

NOW = 1_795_000_000.0


@pytest.fixture
def engine() -> Iterator[sa.Engine]:
    made = sa.create_engine("sqlite://")
    metadata.create_all(made, tables=[account])
    with made.begin() as connection:
        for login in ("sam", "ann", "van-1", "van-2", "van-3", "van-4"):
            connection.execute(
                sa.insert(account).values(
                    id=login, name=login, login=login, role="volunteer", created=0.0,
                    password=f"hash of {login}",
                )
            )  # fmt: skip
    yield made
    made.dispose()


def test_a_device_is_known_to_the_account_that_entered_from_it(engine: sa.Engine) -> None:
    cookie = devices.remember(engine, "sam", "", NOW)
    found = devices.known(engine, " SAM ", cookie, NOW)
    assert len(found) == 16
    assert devices.known(engine, "sam", devices.remember(engine, "sam", "", NOW), NOW) != found
    assert devices.known(engine, "ann", cookie, NOW) == ""
    assert devices.known(engine, "nobody", cookie, NOW) == ""
    assert "sam" not in cookie


@pytest.mark.parametrize("cookie", ["", "x", "a.b.c", "~", "a.b.c.d", "é.1.ü", "~".join("....")])
def test_a_cookie_that_nobody_signed_is_a_strangers(engine: sa.Engine, cookie: str) -> None:
    assert devices.known(engine, "sam", cookie, NOW) == ""
    kept = devices.remember(engine, "sam", cookie, NOW)
    assert devices.known(engine, "sam", kept, NOW)


def test_a_changed_cookie_is_a_strangers(engine: sa.Engine) -> None:
    cookie = devices.remember(engine, "sam", "", NOW)
    for i in range(len(cookie)):
        changed = cookie[:i] + ("0" if cookie[i] != "0" else "1") + cookie[i + 1 :]
        assert devices.known(engine, "sam", changed, NOW) == ""


def test_it_lasts_four_hundred_days(engine: sa.Engine) -> None:
    cookie = devices.remember(engine, "sam", "", NOW)
    assert devices.known(engine, "sam", cookie, NOW + 399 * 86400.0)
    assert devices.known(engine, "sam", cookie, NOW + 400 * 86400.0) == ""


def test_a_new_password_ends_it(engine: sa.Engine) -> None:
    cookie = devices.remember(engine, "sam", "", NOW)
    with engine.begin() as connection:
        connection.execute(sa.update(account).values(password="another"))
    assert devices.known(engine, "sam", cookie, NOW) == ""


def test_a_shared_device_keeps_the_five_newest_people(engine: sa.Engine) -> None:
    cookie = ""
    for login in ("sam", "ann", "sam", "van-1", "van-2", "van-3"):
        cookie = devices.remember(engine, login, cookie, NOW)
    logins = ("sam", "ann", "van-1", "van-2", "van-3")
    assert all(devices.known(engine, login, cookie, NOW) for login in logins)
    cookie = devices.remember(engine, "van-4", cookie, NOW)
    known = [login for login in (*logins, "van-4") if devices.known(engine, login, cookie, NOW)]
    assert known == ["sam", "van-1", "van-2", "van-3", "van-4"]
    assert len(cookie) < 600


def test_proxies_are_addresses_and_networks() -> None:
    proxies = Proxies(["127.0.0.1", "10.0.0.0/24", "::1"])
    assert all(one in proxies for one in ("127.0.0.1", "10.0.0.255", "::1"))
    assert not any(one in proxies for one in ("127.0.0.2", "10.0.1.0", "::2", "", "proxy"))

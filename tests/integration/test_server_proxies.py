"""A visitor's address: of the connection, and behind a trusted proxy what that says."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from server.accounts.attempts import PER_PAIR
from tests.browser.accounts import PASSWORD
from tests.integration.served import Served, ask, served

TRUSTING = 'trusted_proxies = ["127.0.0.1", "10.9.0.0/16"]\n'


def signing_in(server: Served) -> Callable[[str, str], int]:
    def sign_in(forwarded: str, password: str) -> int:
        given = json.dumps({"login": "van-1", "password": password})
        with server.connect() as connection:
            header = f"X-Forwarded-For: {forwarded}"
            return ask(connection, "/api/v1/session", header, body=given).status

    return sign_in


def test_nobody_chooses_an_address_where_no_proxy_is_trusted(tmp_path: Path):
    with served(tmp_path) as server:
        sign_in = signing_in(server)
        for i in range(PER_PAIR):
            assert sign_in(f"203.0.113.{i}", "guess") == 403
        assert sign_in("203.0.113.99", PASSWORD) == 429
        assert "trusted_proxies" in server.service.text()
        assert "203.0.113" not in server.service.text()


def test_behind_a_trusted_proxy_each_visitor_has_limits_of_their_own(tmp_path: Path):
    with served(tmp_path, TRUSTING) as server:
        sign_in = signing_in(server)
        for i in range(PER_PAIR):
            assert sign_in(f"198.51.100.{i}, 203.0.113.1, 10.9.3.4", "guess") == 403
        assert sign_in("203.0.113.1", PASSWORD) == 429
        assert sign_in("203.0.113.2", PASSWORD) == 200
        assert "trusted_proxies" not in server.service.text()


@pytest.mark.parametrize("wrong", ["*", "10.0.0.1/8", "proxy.example", ""])
def test_a_proxy_that_is_no_address_is_named(tmp_path: Path, wrong: str):
    from gateway import settings
    from gateway.errors import SettingError

    path = tmp_path / "noria.toml"
    path.write_text(f"trusted_proxies = {json.dumps([wrong])}\n")
    with pytest.raises(SettingError, match="trusted_proxies"):
        settings.read(path)

"""Limits on password attempts."""

import pytest

from server.accounts.attempts import PER_ACCOUNT, PER_PAIR, WINDOW_S, Attempts, network_of


def fail(attempts: Attempts, times: int, login: str = "sam", source: str = "10.0.0.1") -> None:
    for i in range(times):
        attempts.failed(login, source, 1000.0 + i)


def test_a_source_waits_at_an_account_after_eight_failures_and_others_do_not() -> None:
    attempts = Attempts()
    for i in range(7):
        attempts.failed("sam", "10.0.0.1", 1000.0 + i)
    assert attempts.wait_s("sam", "10.0.0.1", 1010.0) == 0
    attempts.failed("sam", "10.0.0.1", 1007.0)
    assert attempts.wait_s(" SAM ", "10.0.0.1", 1010.0) == 890
    assert attempts.wait_s("sam", "10.0.0.2", 1010.0) == 0
    assert attempts.wait_s("ann", "10.0.0.1", 1010.0) == 0
    attempts.failed("sam", "10.0.0.1", 1008.0)
    assert attempts.wait_s("sam", "10.0.0.1", 1010.0) == 891
    assert attempts.wait_s("sam", "10.0.0.1", 1900.5) == 0.5
    assert attempts.wait_s("sam", "10.0.0.1", 1901.0) == 0


def test_an_account_waits_for_strangers_after_forty_failures_from_anywhere() -> None:
    attempts = Attempts()
    for i in range(39):
        attempts.failed("sam", f"source {i}", 1000.0 + i)
    assert attempts.wait_s("sam", "new", 1040.0) == 0
    attempts.failed("sam", "source 39", 1039.0)
    assert attempts.wait_s(" SAM ", "new", 1040.0) == 860
    assert attempts.wait_s("ann", "source 1", 1040.0) == 0
    assert attempts.wait_s("sam", "new", 1900.5) == 0


def test_a_source_waits_after_thirty_failures() -> None:
    attempts = Attempts()
    for i in range(29):
        attempts.failed(f"login {i}", "10.0.0.1", 1000.0 + i)
    assert attempts.wait_s("new", "10.0.0.1", 1030.0) == 0
    attempts.failed("login 29", "10.0.0.1", 1029.0)
    assert attempts.wait_s("new", "10.0.0.1", 1030.0) == 870
    assert attempts.wait_s("new", "10.0.0.2", 1030.0) == 0
    attempts.failed("login 30", "10.0.0.1", 1030.0)
    assert attempts.wait_s("new", "10.0.0.1", 1030.0) == 871
    attempts.passed("login 30", "10.0.0.1")
    assert attempts.wait_s("new", "10.0.0.1", 1030.0) == 870
    attempts.passed("login 29", "10.0.0.1")
    assert attempts.wait_s("new", "10.0.0.1", 1030.0) == 0


def test_a_known_device_has_a_limit_of_its_own_alone() -> None:
    attempts = Attempts()
    for i in range(PER_ACCOUNT):
        attempts.failed("sam", "10.0.0.1", 1000.0)
        attempts.failed(f"login {i}", "10.0.0.1", 1000.0)
    assert attempts.wait_s("sam", "10.0.0.1", 1000.0) == WINDOW_S
    assert attempts.wait_s("sam", "10.0.0.1", 1000.0, "phone") == 0
    for _ in range(PER_PAIR):
        assert attempts.wait_s("sam", "10.0.0.1", 1000.0, "phone") == 0
        attempts.failed("sam", "10.0.0.1", 1000.0, "phone")
    assert attempts.wait_s("sam", "10.0.0.2", 1000.0, "phone") == WINDOW_S
    assert attempts.wait_s("sam", "10.0.0.1", 1000.0, "desk") == 0


def test_a_known_device_makes_no_room_for_strangers_and_takes_none() -> None:
    attempts = Attempts()
    fail(attempts, PER_PAIR)
    attempts.failed("sam", "10.0.0.1", 1008.0, "phone")
    attempts.passed("sam", "10.0.0.1", "phone")
    assert attempts.wait_s("sam", "10.0.0.1", 1010.0) == 890
    for _ in range(PER_PAIR - 1):
        attempts.failed("sam", "10.0.0.1", 1010.0, "phone")
    assert attempts.wait_s("sam", "10.0.0.1", 1010.0, "phone") == 0
    assert attempts.wait_s("ann", "10.0.0.1", 1010.0) == 0


def test_failures_are_forgotten_after_a_while() -> None:
    attempts = Attempts()
    fail(attempts, PER_PAIR)
    assert attempts.wait_s("sam", "10.0.0.1", 1000.0 + PER_PAIR) > 0
    assert attempts.wait_s("sam", "10.0.0.1", 1000.0 + PER_PAIR + WINDOW_S) == 0


def test_the_right_password_forgets_the_accounts_failures() -> None:
    attempts = Attempts()
    fail(attempts, PER_PAIR - 1)
    attempts.passed("sam", "10.0.0.1")
    fail(attempts, PER_PAIR - 1)
    assert attempts.wait_s("sam", "10.0.0.1", 1010.0) == 0
    for i in range(PER_ACCOUNT):
        attempts.failed("ann", f"source {i}", 1000.0)
    attempts.passed("ann", "here")
    assert attempts.wait_s("ann", "new", 1000.0) == 0


def test_the_longer_wait_counts_and_success_clears_one_of_the_sources() -> None:
    attempts = Attempts()
    for i in range(30):
        attempts.failed("sam", "10.0.0.1", 1000.0 + i)
    assert attempts.wait_s("sam", "10.0.0.1", 1030.0) == 892
    assert attempts.wait_s("sam", "10.0.0.1", 3000.0) == 0
    attempts.passed("sam", "10.0.0.1")
    assert attempts.wait_s("sam", "10.0.0.1", 1030.0) == 0
    attempts.passed("sam", "a new source")
    attempts.failed("sam", "10.0.0.1", 1030.0)
    assert attempts.wait_s("ann", "10.0.0.1", 1030.0) == 870


def test_no_address_is_stored_in_plain_text() -> None:
    attempts = Attempts()
    fail(attempts, 3, source="203.0.113.7")
    assert "203.0.113.7" not in repr(vars(attempts))


def test_a_login_and_a_source_of_one_name_are_counted_apart() -> None:
    attempts = Attempts()
    for i in range(PER_ACCOUNT):
        attempts.failed("same", f"source {i}", 1000.0)
    assert attempts.wait_s("new", "same", 1000.0) == 0


def test_names_are_cleared_when_ten_thousand_are_in_memory() -> None:
    attempts = Attempts()
    for i in range(4999):  # two names each, and the source's
        attempts.failed(f"login {i}", "source", {0: 1001.0, 1: 999.0}.get(i, 1000.0))
    attempts.failed("one", "source", 1900.0)
    assert len(attempts._failed) == 10_001
    attempts.failed("two", "source", 1900.0)
    assert len(attempts._failed) == 7  # login 0, one and two, each with its pair, and the source


def test_a_source_without_failures_left_is_cleared_as_well() -> None:
    attempts = Attempts()
    attempts.failed("sam", "10.0.0.1", 1000.0)
    attempts.passed("sam", "10.0.0.1")
    assert len(attempts._failed) == 1
    for i in range(5001):
        attempts.failed(f"login {i}", "source", 1000.0)
    assert len(attempts._failed) == 10_003


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("-", "-"),
    ],
)
def test_a_subscriber_of_ipv6_is_one_source(address: str, network: str) -> None:
    assert network_of(address) == network

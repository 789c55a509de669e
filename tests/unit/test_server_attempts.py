"""Limits on password attempts."""

from server.accounts.attempts import PER_ACCOUNT, PER_SOURCE, WINDOW_S, Attempts


def fail(attempts: Attempts, times: int, login: str = "sam", source: str = "10.0.0.1") -> None:
    for i in range(times):
        attempts.failed(login, source, 1000.0 + i)


def test_an_account_waits_after_too_many_failures_from_any_source():
    attempts = Attempts()
    for i in range(PER_ACCOUNT):
        attempts.failed("sam", f"10.0.0.{i}", 1000.0)
    assert attempts.wait_s("Sam ", "10.0.0.99", 1000.0) == WINDOW_S
    assert attempts.wait_s("ann", "10.0.0.99", 1000.0) == 0


def test_a_source_waits_after_too_many_failures_on_any_account():
    attempts = Attempts()
    for i in range(PER_SOURCE):
        attempts.failed(f"user{i}", "10.0.0.1", 1000.0)
    assert attempts.wait_s("somebody-new", "10.0.0.1", 1000.0) > 0
    assert attempts.wait_s("somebody-new", "10.0.0.2", 1000.0) == 0


def test_failures_are_forgotten_after_a_while():
    attempts = Attempts()
    fail(attempts, PER_ACCOUNT)
    assert attempts.wait_s("sam", "x", 1000.0 + PER_ACCOUNT) > 0
    assert attempts.wait_s("sam", "x", 1000.0 + PER_ACCOUNT + WINDOW_S) == 0


def test_the_right_password_forgets_the_accounts_failures():
    attempts = Attempts()
    fail(attempts, PER_ACCOUNT - 1)
    attempts.passed("sam", "10.0.0.1")
    fail(attempts, 1)
    assert attempts.wait_s("sam", "10.0.0.1", 1010.0) == 0


def test_no_address_is_stored_in_plain_text():
    attempts = Attempts()
    fail(attempts, 3, source="203.0.113.7")
    assert "203.0.113.7" not in repr(vars(attempts))

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


def test_an_account_waits_until_the_eighth_last_failure_is_a_quarter_of_an_hour_old() -> None:
    attempts = Attempts()
    for i in range(7):
        attempts.failed("sam", f"source {i}", 1000.0 + i)
    assert attempts.wait_s("sam", "new", 1010.0) == 0
    attempts.failed("sam", "source 7", 1007.0)
    assert attempts.wait_s(" SAM ", "new", 1010.0) == 890
    attempts.failed("sam", "source 8", 1008.0)
    assert attempts.wait_s("sam", "new", 1010.0) == 891
    assert attempts.wait_s("sam", "new", 1900.5) == 0.5
    assert attempts.wait_s("sam", "new", 1901.0) == 0
    assert attempts.wait_s("ann", "source 8", 1010.0) == 0


def test_a_source_waits_after_thirty_failures() -> None:
    attempts = Attempts()
    for i in range(29):
        attempts.failed(f"login {i}", "10.0.0.1", 1000.0 + i)
    assert attempts.wait_s("new", "10.0.0.1", 1030.0) == 0
    attempts.failed("login 29", "10.0.0.1", 1029.0)
    assert attempts.wait_s("new", "10.0.0.1", 1030.0) == 870
    attempts.failed("login 30", "10.0.0.1", 1030.0)
    assert attempts.wait_s("new", "10.0.0.1", 1030.0) == 871
    attempts.passed("login 30", "10.0.0.1")
    assert attempts.wait_s("new", "10.0.0.1", 1030.0) == 0


def test_the_longer_wait_counts_and_success_clears_the_account() -> None:
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


def test_a_login_and_a_source_of_one_name_are_counted_apart() -> None:
    attempts = Attempts()
    for _ in range(8):
        attempts.failed("same", "other", 1000.0)
    assert attempts.wait_s("new", "same", 1000.0) == 0


def test_names_are_cleared_when_ten_thousand_are_in_memory() -> None:
    attempts = Attempts()
    for i in range(9999):
        attempts.failed(f"login {i}", "source", {0: 1001.0, 1: 999.0}.get(i, 1000.0))
    attempts.failed("one", "source", 1900.0)
    assert len(attempts._failed) == 10_001
    attempts.failed("two", "source", 1900.0)
    assert len(attempts._failed) == 4  # login 0, one, two and the source
    for _ in range(8):
        attempts.failed("three", "three", 1900.0)
    assert attempts.wait_s("three", "new", 1900.0) == 900


def test_a_source_without_failures_left_is_cleared_as_well() -> None:
    attempts = Attempts()
    attempts.failed("sam", "10.0.0.1", 1000.0)
    attempts.passed("sam", "10.0.0.1")
    for i in range(10_001):
        attempts.failed(f"login {i}", "source", 1000.0)
    assert len(attempts._failed) == 10_002

"""At most ten lines of one kind a minute."""

import logging

from server.log_limit import LineLimit


def line(text: str, *args: object, at: float = 0.0, name: str = "a") -> logging.LogRecord:
    record = logging.LogRecord(name, logging.WARNING, "", 0, text, args, None)
    record.created = at
    return record


def test_ten_lines_pass_and_the_tenth_says_that_more_are_left_out() -> None:
    limit = LineLimit()
    lines = [line("request %d is wrong", i) for i in range(12)]
    assert [limit.filter(one) for one in lines] == [True] * 10 + [False] * 2
    assert lines[8].getMessage() == "request 8 is wrong"
    assert (
        lines[9].getMessage() == "request 9 is wrong (more of these within a minute are left out)"
    )
    assert limit.filter(line("another"))
    assert limit.filter(line("request %d is wrong", 1, name="b"))


def test_after_a_minute_the_first_says_how_many_were_left_out() -> None:
    limit = LineLimit()
    for _ in range(15):
        limit.filter(line("wrong"))
    assert not limit.filter(line("wrong", at=59.9))
    first, second = line("wrong", at=60.0), line("wrong", at=60.0)
    assert limit.filter(first)
    assert limit.filter(second)
    assert first.getMessage() == "wrong (6 more of these were left out)"
    assert second.getMessage() == "wrong"


def test_memory_is_bounded() -> None:
    limit = LineLimit()
    for i in range(2000):
        assert limit.filter(line(f"{i}"))
    assert len(limit._kinds) <= 500

"""Log lines: one an event, readable by machines, without secrets."""

import json
import logging

import pytest

from gateway.runtime.logs import LineFormatter, RedactingFilter

KEY = "00" * 31 + "ff"
MAC = "g7vPUmsGjpOCXuP33QCMOGo-3nESau0BpN9n08dzzEY"


def line(text: str, *, as_json: bool = False, journald: bool = False, **more: object) -> str:
    record = logging.LogRecord("gateway.alerts.outbox", logging.WARNING, "", 0, text, (), None)
    for name, value in more.items():
        setattr(record, name, value)
    return LineFormatter(
        RedactingFilter(["tok-secret"]), as_json=as_json, journald=journald
    ).format(record)


def test_a_line_is_names_and_values() -> None:
    logged = line("broker h:1 was lost")
    assert logged.startswith("time=20")
    assert logged.endswith('level=warning from=gateway.alerts.outbox said="broker h:1 was lost"')


def test_as_json_a_line_is_one_object() -> None:
    assert json.loads(line('said "so"\nand so', as_json=True, journald=True)[3:]) == {
        "level": "warning", "from": "gateway.alerts.outbox", "said": 'said "so"\nand so',
    }  # fmt: skip


def test_journald_gets_the_priority_and_no_time() -> None:
    assert line("x", journald=True) == "<4>level=warning from=gateway.alerts.outbox said=x"


def test_an_error_with_its_stack_stays_one_line() -> None:
    try:
        raise ValueError("two\nlines tok-secret")
    except ValueError as error:
        logged = line("failed", exc_info=(type(error), error, error.__traceback__))
    assert "\n" not in logged
    assert "ValueError: two" in logged and "tok-secret" not in logged


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("the token is tok-secret.", "tok-secret"),
        (f"key = {KEY}", KEY),
        (f"payload …\n{MAC}", MAC),
        ("ntfy://me:hush@host/topic", "hush"),
        ("mqtts://user:pw@broker:8883", "user:pw"),
        ("call +33 6 12 34 56 78 now", "12 34 56"),
        ("at 50.950123, 1.858456", "50.950123"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, secret: str) -> None:
    assert secret not in line(text)
    assert "[hidden]" in line(text)


@pytest.mark.parametrize(
    "text",
    ["broker 127.0.0.1:1883 was lost", "entry 17: duplicate", "412.5, 63.5 litres", "k7f3q5",
     "a leaf of 4097 bytes is longer than 4096", "north-1 at 2026-11-20T21:59:50+00:00"],
)  # fmt: skip
def test_what_is_no_secret_stays(text: str) -> None:
    assert "hidden" not in line(text)

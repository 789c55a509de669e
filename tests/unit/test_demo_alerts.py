"""The demo prints each alert with the text of the gateway's log."""

import logging

import pytest

from gateway.alerts.channels.log import LOGGER
from gateway.runtime.logs import LineFormatter, RedactingFilter
from server.demo.run import logged

ALERT = 'Low: Canal 1, about 290\u00a0L. "Nobody" is going yet.'


@pytest.mark.parametrize("journald", [False, True])
def test_an_alert_is_read_back_from_the_log(journald: bool) -> None:
    record = logging.LogRecord(LOGGER, logging.INFO, "", 0, "%s", (ALERT,), None)
    line = LineFormatter(RedactingFilter([]), as_json=True, journald=journald).format(record)
    assert logged(line) == (LOGGER, ALERT)


@pytest.mark.parametrize("line", ["ready", "", "{", "a line {of} another", "[]", '{"said": 1}'])
def test_any_other_line_has_no_logger_and_is_unchanged(line: str) -> None:
    assert logged(line) == ("", line)

"""What a rival's curve of litres becomes; the rivals themselves are an extra."""

import sys

import pytest

from gateway.errors import NoriaError
from gateway.evaluation import report, rivals
from gateway.evaluation.outlook import Draws

HOUR = 3600.0


def test_a_missing_library_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "statsforecast", None)
    with pytest.raises(NoriaError, match=r"statsforecast.*noria\[evaluate\]"):
        rivals.compare(1)


def test_the_past_is_hours_that_end_now() -> None:
    rows = [(HOUR * h, 500.0, 10.0 * h if h < 3 else 20.0 + 40.0 * (h - 2), 0.0) for h in range(6)]
    past = Draws(rows, 20.0)
    assert past.by_hour(5 * HOUR) == [10.0, 10.0, 40.0, 40.0, 40.0]
    assert past.by_hour(2.5 * HOUR) == [10.0, 25.0]
    assert past.left_l(5 * HOUR) == 480.0


def test_the_table_has_a_row_for_each_forecaster() -> None:
    lines = report.rivals([("the watch", 12, 0.1594, 0.81), ("other", 12, None, 0.5)]).splitlines()
    assert lines[1].split() == ["the", "watch", "12", "0.159", "0.81"]
    assert lines[2].split() == ["other", "12", "-", "0.5"]

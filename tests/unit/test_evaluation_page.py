"""The page of results: complete, without other files, and safe to show."""

import re

from gateway.evaluation.outlook import ForecastPoint
from gateway.evaluation.page import html
from gateway.evaluation.sheet import Belief, Detection, Guess, Sheet

T0 = 1_780_000_000.0


def _sheet() -> Sheet:
    sheet = Sheet(
        stories=12, readings=9000, ordinary_days=730.5, ordinary_false_thefts=4,
        called={"drained": [3, 4]}, alarms={"silent": [1], "drained": [4]},
    )  # fmt: skip
    sheet.detections = [Detection("s", "slashed", True, 600.0, 30.0)]
    sheet.guesses = [
        Guess("s", "slashed", ("slashed",), "drained", "slashed", True),
        Guess("s", "knocks <b>", ("none",), "none", "none", False),
    ]
    sheet.beliefs = [Belief(0.9, True, True), Belief(0.4, False, False)]
    sheet.forecasts = [
        ForecastPoint(T0, 9e5, 80_000.0, 88_000.0, 7e4, 9e4, (60_000.0, None, 80_000.0))
    ]
    return sheet


def _rows(page: str, title: str) -> list[str]:
    """The texts of the plot below a heading."""
    section = page.split(f"<h2>{title}</h2>")[1].split("</section>")[0]
    return re.findall(r"<text[^>]*>([^<]*)</text>", section)


def test_the_page_is_one_file_with_every_part() -> None:
    page = html(_sheet(), "noria evaluate --page FILE", "0.2.0")
    for absent in ("http:", "https:", "<script", "<img", "<link", "@import", "url("):
        assert absent not in page
    assert "prefers-color-scheme:dark" in page
    assert "noria evaluate --page FILE" in page
    assert "12 simulated stories" in page
    assert "knocks &lt;b&gt;" in page
    assert "<h2>Limits</h2>" in page


def test_the_plots_show_the_figures_of_the_sheet() -> None:
    page = html(_sheet(), "c", "v")
    precision = _rows(page, "Precision of each theft kind")
    assert precision[precision.index("drained") + 1] == "3 of 4"
    recall = _rows(page, "Recall of each theft kind")
    assert recall[recall.index("slashed") + 1] == "1 of 1"
    alarms = _rows(page, "False alarms in a tank-year of ordinary life")
    assert alarms == ["drained", "2", "silent", "0.5"]
    errors = _rows(page, "Time to empty, about a day ahead: median error")
    assert errors == [
        "the watch", "10 %", "last 24 h", "25 %",
        "same hour yesterday", "100 %", "mean daily", "0 %",
    ]  # fmt: skip
    assert 'cx="' in page.split("Minutes from a theft")[1]


def test_a_page_of_nothing_is_still_a_page() -> None:
    page = html(Sheet(), "c", "v")
    assert "<p>None.</p>" in page
    assert page.endswith("</html>\n")

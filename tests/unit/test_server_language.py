"""Figures, ages and spans of pages in both languages, and the same rules in alerts."""

import pytest

from gateway.alerts.language import Language
from gateway.domain.outputs import Span
from server.words.language import PageLanguage

NOW = 1795267920.0  # Saturday 21 November 2026, 14:32 in Paris
HOUR = 3600.0
EN, FR = PageLanguage("en", "Europe/Paris"), PageLanguage("fr", "Europe/Paris")
ALERT = Language("en", "Europe/Paris")


@pytest.mark.parametrize(
    ("seconds", "english", "french"),
    [
        (20, "20 s ago", "il y a 20 s"),
        (360, "6 min ago", "il y a 6 min"),
        (5460, "1 h 31 min ago", "il y a 1 h 31 min"),
        (3 * HOUR + 720, "3 h ago", "il y a 3 h"),
        (50 * HOUR, "2 days ago", "il y a 2 jours"),
        (-5, "0 s ago", "il y a 0 s"),
    ],
)
def test_an_age_is_in_the_readers_language(seconds: float, english: str, french: str):
    assert EN.age(seconds).replace("\u00a0", " ") == english
    assert FR.age(seconds).replace("\u00a0", " ") == french


def test_a_wide_range_is_widened_outward_to_the_hour():
    span = Span(NOW + 4 * HOUR, NOW + 2.6 * HOUR, NOW + 5.2 * HOUR)
    assert EN.window(span, NOW) == "today 17–20\u00a0h"
    assert FR.window(span, NOW) == "aujourd’hui 17–20\u00a0h"
    assert EN.between(span, NOW) == "today between 17 and 20\u00a0h"


def test_a_narrow_range_is_widened_outward_to_five_minutes():
    span = Span(NOW + 2000, NOW + 1400, NOW + 4000)
    assert EN.window(span, NOW) == "14:55–15:40"
    assert FR.between(span, NOW) == "entre 14\u00a0h\u00a055 et 15\u00a0h\u00a040"


def test_a_range_over_midnight_names_both_days():
    span = Span(NOW + 10 * HOUR, NOW + 8 * HOUR, NOW + 12 * HOUR)
    assert EN.window(span, NOW).replace("\u00a0", " ") == "today 22 h – tomorrow 3 h"


def test_a_range_that_ends_at_midnight_stays_on_its_day():
    span = Span(NOW + 8 * HOUR, NOW + 6.6 * HOUR, NOW + 9.4 * HOUR)
    assert EN.window(span, NOW) == "today 21–24\u00a0h"


def test_litres_are_rounded_to_ten_and_joined_to_their_unit():
    assert EN.litres(484.9) == "480\u00a0L"
    assert EN.litres(-3) == "0\u00a0L"


def test_days_are_counted_by_the_calendar_and_not_by_hours():
    assert EN.day(NOW + 10 * HOUR, NOW) == "tomorrow"
    assert EN.day(NOW - 15 * HOUR, NOW) == "yesterday"
    assert FR.day(NOW + 48 * HOUR, NOW) == "lundi"


def test_values_in_rich_text_are_escaped_and_bold_is_markup():
    markup = EN.rich("**About {litres}**.", litres="<b>9</b>")
    assert markup == "<strong>About &lt;b&gt;9&lt;/b&gt;</strong>."


def test_an_unsupported_language_becomes_english():
    assert PageLanguage("xx", "UTC").code == "en"


@pytest.mark.parametrize(
    ("alert", "page"),
    [
        (ALERT.about_litres(1254), EN.litres(1254)),
        (ALERT.about_rate(-38), EN.rate(-38)),
        (ALERT.lasting(5 * HOUR + 1790), EN.lasting(5 * HOUR + 1790)),
        (ALERT.lasting(62 * HOUR), EN.lasting(62 * HOUR)),
        (ALERT.moment(NOW - 24 * HOUR, NOW), EN.moment(NOW - 24 * HOUR, NOW)),
        (ALERT.chance(0.71), EN.chance(0.71)),
    ],
)
def test_alerts_and_pages_follow_one_rule_in_two_styles(alert: str, page: str):
    expected = {
        "about 1,250 L": "1250 L",
        "about 40 L/h": "40 L/h",
        "5 h 30 min": "5 h",
        "3 days": "2 days",
        "Fri 14:32": "yesterday 14:32",
        "about 7 in 10": "about 7 in 10",
    }
    assert expected[alert.replace("\u00a0", " ")] == page.replace("\u00a0", " ")


def tilde(text: str) -> str:
    return text.replace("\u00a0", "~")


def test_english_has_no_space_before_punctuation_to_keep() -> None:
    assert ALERT.text("a : b ; c") == EN.text("a : b ; c") == "a : b ; c"


def test_figures_with_a_unit_are_in_the_languages_form() -> None:
    assert tilde(FR.quantity(3.976, "V", places=2)) == "3,98~V"
    assert tilde(EN.quantity(3.976, "V", places=2)) == "3.98~V"
    assert tilde(EN.quantity(9999.4, "L")) == "9999~L"
    assert tilde(EN.quantity(9999.6, "L")) == "10,000~L"
    assert tilde(FR.quantity(12500, "L")) == "12~500~L"
    assert tilde(EN.hour(NOW - 7.5 * HOUR)) == "7~h"
    assert FR.text("{n}", n=12500) == "12\u00a0500"

"""Dates and decimals are those of Babel, whose data of a language takes 4 MB of memory."""

import pytest
from babel.dates import format_datetime
from babel.numbers import format_decimal

from gateway.alerts.language import PAGE, Language

LANGUAGES = [
    Language("en", "Europe/Paris"), Language("fr", "Europe/Paris"),
    Language("en", "Africa/Nairobi", style=PAGE), Language("fr", "Africa/Nairobi", style=PAGE),
]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_dates_are_those_of_the_unicode_locale_data(language: Language) -> None:
    for day in range(366):
        at = 1795267920.0 + day * 90_000.0
        for pattern in ("EEE d MMM", "EEEE", "d MMM", "H", "HH"):
            unicode = format_datetime(language.local(at), pattern, locale=language.code)
            assert language.date(at, pattern) == unicode


@pytest.mark.parametrize("language", LANGUAGES)
def test_decimals_are_those_of_the_unicode_locale_data(language: Language) -> None:
    for value in (0.0, 3.0, 3.04, 3.46, 12.5, 999.95, 1000.0, 1234.56, 1234567.8, -1234.5):
        unicode = format_decimal(round(value, 1), locale=language.code)
        assert language.decimal(value) == unicode

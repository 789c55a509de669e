"""Figures, times and lengths in one language: the exact limits of each rule.

A no-break space is written ``~`` here.
"""

from pathlib import Path

import pytest

from gateway.alerts.language import CATALOGUES, PAGE, Language, mark

NOW = 1795267920.0  # Saturday 21 November 2026, 14:32 in Paris
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
ZONE = "Europe/Paris"
ALERTS = {code: Language(code, ZONE) for code in ("en", "fr")}
PAGES = {code: Language(code, ZONE, style=PAGE) for code in ("en", "fr")}
EN, FR, PAGE_EN, PAGE_FR = ALERTS["en"], ALERTS["fr"], PAGES["en"], PAGES["fr"]


def plain(text: str) -> str:
    return text.replace("\u00a0", "~")


@pytest.mark.parametrize(("asked", "code"), [("en", "en"), ("fr", "fr"), ("de", "en"), ("", "en")])
def test_a_language_without_a_catalogue_is_english(asked: str, code: str) -> None:
    assert Language(asked, ZONE).code == code


@pytest.mark.parametrize(
    ("value", "alert_en", "alert_fr", "page"),
    [(1249.6, "1,250", "1~250", "1250"), (999, "999", "999", "999"), (0.4, "0", "0", "0")],
)
def test_alerts_group_thousands_and_pages_do_not(
    value: float, alert_en: str, alert_fr: str, page: str
) -> None:
    assert plain(EN.number(value)) == alert_en
    assert plain(FR.number(value)) == alert_fr
    assert PAGE_EN.number(value) == page


@pytest.mark.parametrize(
    ("litres", "exact", "about"),
    [
        (-14, "0~L", "under 10~L"),
        (5, "0~L", "under 10~L"),
        (9.99, "10~L", "under 10~L"),
        (10, "10~L", "about 10~L"),
        (15, "20~L", "about 20~L"),
        (484.9, "480~L", "about 480~L"),
        (485.1, "490~L", "about 490~L"),
        (1254, "1,250~L", "about 1,250~L"),
    ],
)
def test_litres_are_rounded_to_ten(litres: float, exact: str, about: str) -> None:
    assert plain(EN.litres(litres)) == exact
    assert plain(EN.about_litres(litres)) == about


@pytest.mark.parametrize(
    ("lph", "alert", "page"),
    [
        (0, "10~L/h", "5~L/h"),
        (2, "10~L/h", "5~L/h"),
        (8, "10~L/h", "10~L/h"),
        (-12, "10~L/h", "10~L/h"),
        (-13, "10~L/h", "15~L/h"),
        (14.9, "10~L/h", "15~L/h"),
        (-38, "40~L/h", "40~L/h"),
        (-131, "130~L/h", "130~L/h"),
    ],
)
def test_rates_are_steps_of_ten_in_alerts_and_five_on_pages(
    lph: float, alert: str, page: str
) -> None:
    assert plain(EN.rate(lph)) == alert
    assert plain(EN.about_rate(lph)) == f"about {alert}"
    assert plain(PAGE_EN.rate(lph)) == page


@pytest.mark.parametrize(
    ("probability", "english", "french"),
    [
        (0, "under 1 in 20", "moins d’une chance sur 20"),
        (0.0499, "under 1 in 20", "moins d’une chance sur 20"),
        (0.05, "under 1 in 10", "moins d’une chance sur 10"),
        (0.0999, "under 1 in 10", "moins d’une chance sur 10"),
        (0.1, "about 1 in 10", "environ 1 chance sur 10"),
        (0.16, "about 2 in 10", "environ 2 chances sur 10"),
        (0.74, "about 7 in 10", "environ 7 chances sur 10"),
        (0.95, "about 9 in 10", "environ 9 chances sur 10"),
        (0.9501, "over 9 in 10", "plus de 9 chances sur 10"),
        (1, "over 9 in 10", "plus de 9 chances sur 10"),
    ],
)
def test_chances_are_tenths(probability: float, english: str, french: str) -> None:
    assert EN.chance(probability) == english
    assert FR.chance(probability) == french


@pytest.mark.parametrize(
    ("at", "seconds", "english", "french"),
    [
        (NOW, False, "14:32", "14~h~32"),
        (NOW + 7, False, "14:32", "14~h~32"),
        (NOW + 7, True, "14:32:07", "14~h~32~min~07~s"),
        (NOW, True, "14:32", "14~h~32"),
        (NOW + 18 * HOUR - 27 * MINUTE, False, "08:05", "8~h~05"),
    ],
)
def test_the_time_of_day_follows_the_languages_custom(
    at: float, seconds: bool, english: str, french: str
) -> None:
    assert plain(EN.clock(at, seconds)) == english
    assert plain(FR.clock(at, seconds)) == french


@pytest.mark.parametrize(
    ("days", "alert", "page"),
    [
        (0, "", "today"),
        (1, "Sun", "tomorrow"),
        (-1, "Fri", "yesterday"),
        (2, "Mon", "Monday"),
        (6, "Fri", "Friday"),
        (7, "28~Nov", "28 Nov"),
        (8, "29~Nov", "29 Nov"),
        (-2, "Thu", "19 Nov"),
        (-6, "Sun", "15 Nov"),
        (-7, "14~Nov", "14 Nov"),
        (-8, "13~Nov", "13 Nov"),
    ],
)
def test_days_have_names_within_a_week(days: int, alert: str, page: str) -> None:
    at = NOW + days * DAY
    assert plain(EN.day(at, NOW)) == alert
    assert plain(PAGE_EN.day(at, NOW)) == page
    assert EN.is_today(at, NOW) == (days == 0)
    assert plain(EN.moment(at, NOW)) == (f"{alert}~14:32" if alert else "14:32")
    assert PAGE_EN.moment(at, NOW) == (f"{page} 14:32" if days else "14:32")


def test_a_moment_has_seconds_only_on_request() -> None:
    assert EN.moment(NOW + 7, NOW) == "14:32"
    assert EN.moment(NOW + 7, NOW, seconds=True) == "14:32:07"


def test_a_day_ends_at_local_midnight() -> None:
    midnight = NOW + 9 * HOUR + 28 * MINUTE
    assert EN.is_today(midnight - 1, NOW)
    assert not EN.is_today(midnight, NOW)
    assert not EN.is_today(midnight - DAY - 1, NOW)
    assert EN.is_today(midnight - DAY, NOW)


@pytest.mark.parametrize(
    ("seconds", "alert", "page"),
    [
        (-5, "1~min", "0~s"),
        (1.9, "1~min", "1~s"),
        (59.4, "1~min", "59~s"),
        (59.5, "1~min", "1~min"),
        (91, "2~min", "1~min"),
        (119, "2~min", "1~min"),
        (120, "2~min", "2~min"),
        (3569, "59~min", "59~min"),
        (3571, "1~h", "59~min"),
        (3599, "1~h", "59~min"),
        (HOUR, "1~h", "1~h"),
        (HOUR + 60, "1~h 1~min", "1~h 1~min"),
        (HOUR + 31 * 60, "1~h 31~min", "1~h~31~min"),
        (3 * HOUR - 60, "2~h 59~min", "2~h~59~min"),
        (3 * HOUR + 300, "3~h 5~min", "3~h"),
        (10 * HOUR - 60, "9~h 59~min", "9~h"),
        (10 * HOUR + 300, "10~h", "10~h"),
        (48 * HOUR - 60, "47~h", "47~h"),
        (48 * HOUR, "2~days", "2~days"),
        (61 * HOUR, "3~days", "2~days"),
        (71 * HOUR, "3~days", "2~days"),
        (72 * HOUR, "3~days", "3~days"),
    ],
)
def test_lengths_are_rounded_in_alerts_and_ages_on_pages(
    seconds: float, alert: str, page: str
) -> None:
    assert plain(EN.lasting(seconds)) == alert
    assert plain(PAGE_EN.lasting(seconds)) == page


def test_lengths_are_in_the_readers_language() -> None:
    assert plain(FR.lasting(62 * HOUR)) == "3~jours"
    assert plain(FR.lasting(HOUR)) == "1~h"


@pytest.mark.parametrize(
    ("lo", "hi", "start", "end", "by_hour"),
    [
        # Minutes after 14:32; two hours exactly are narrow.
        (0, 120, -2, 123, False),
        (0, 120.1, -32, 148, True),
        (0, 147, -32, 148, True),
        (0, 119, -2, 123, False),
        (3, 8, 3, 8, False),
        (2.9, 8.1, -2, 13, False),
        (-32, 148, -32, 148, True),
        (-31.9, 148.1, -32, 208, True),
    ],
)
def test_a_range_is_widened_outward(
    lo: float, hi: float, start: float, end: float, by_hour: bool
) -> None:
    found = EN.widen(NOW + lo * MINUTE, NOW + hi * MINUTE)
    assert found == (
        pytest.approx(NOW + start * MINUTE, abs=1e-3),
        pytest.approx(NOW + end * MINUTE, abs=1e-3),
        by_hour,
    )


def test_a_range_is_widened_to_whole_seconds() -> None:
    # 0.75 s are exact in a float of this size.
    start, end, _ = EN.widen(NOW + 3 * MINUTE + 20.75, NOW + 8 * MINUTE + 0.75)
    assert (start, end) == (NOW + 3 * MINUTE, NOW + 13 * MINUTE)


def test_full_hours_are_those_of_the_local_time() -> None:
    indian = Language("en", "Asia/Kolkata")  # UTC + 5:30: 14:32 in Paris is 19:02 there
    assert indian.widen(NOW, NOW + 3 * HOUR)[0] == NOW - 2 * MINUTE


@pytest.mark.parametrize(
    ("lo_h", "hi_h", "english", "french", "page"),
    [
        (0.1, 1.1, "14:35–15:40", "entre 14~h~35 et 15~h~40", "14:35–15:40"),
        (2.6, 5.2, "17–20~h", "entre 17~h et 20~h", "17–20~h"),
        (6.6, 9.4, "21–24~h", "entre 21~h et 24~h", "21–24~h"),
        (6.6, 10, "21~h – Sun~1~h", "entre 21~h et dim.~1~h", "21~h – tomorrow~1~h"),
        (24.5, 28, "Sun~15~h – Sun~19~h", "entre dim.~15~h et dim.~19~h",
         "tomorrow~15~h – tomorrow~19~h"),
        (24.1, 25.1, "Sun~14:35–Sun~15:40", "entre dim.~14~h~35 et dim.~15~h~40",
         "tomorrow 14:35–tomorrow 15:40"),
        (-20, 1, "Fri~18~h – 16~h", "entre ven.~18~h et 16~h", "yesterday~18~h – 16~h"),
    ],
)  # fmt: skip
def test_a_span_names_hours_when_wide_and_days_when_not_today(
    lo_h: float, hi_h: float, english: str, french: str, page: str
) -> None:
    lo, hi = NOW + lo_h * HOUR, NOW + hi_h * HOUR
    assert plain(EN.span(lo, hi, NOW)) == english
    assert plain(FR.span(lo, hi, NOW)) == french
    assert plain(PAGE_EN.span(lo, hi, NOW)) == page


def test_a_date_follows_its_pattern() -> None:
    assert EN.date(NOW, "EEE d MMM") == "Sat 21 Nov"
    assert FR.date(NOW, "EEE d MMM") == "sam. 21 nov."
    assert EN.local(NOW).isoformat() == "2026-11-21T14:32:00+01:00"


def test_only_pages_join_numbers_and_units() -> None:
    sentence = "it is 5 L of 7 Litres, 3 h 20 or 3 h 200, 40 % in 6 min"
    assert EN.text(sentence) == sentence
    joined = "it is 5~L of 7 Litres, 3~h~20 or 3~h 200, 40~% in 6~min"
    assert plain(PAGE_EN.text(sentence)) == joined
    assert plain(PAGE_EN.plural("{n} d", "{n} d of {m} V", 4, m=3)) == "4~d of 3~V"


@pytest.mark.parametrize("language", [FR, PAGE_FR])
def test_french_joins_double_punctuation_in_alerts_and_on_pages(language: Language) -> None:
    """``^`` is the narrow space, for ; ! ? whatever the catalogue has."""
    found = plain(language.text("a : « b » ; c ? d\u00a0!")).replace("\u202f", "^")
    assert found == "a~: «~b~»^; c^? d^!"


def test_a_message_is_formatted_only_with_values() -> None:
    assert EN.text("{x}") == "{x}"
    assert EN.text("{x}", x=1) == "1"
    assert EN.plural("one", "{n} of {m}", 1, m=2) == "one"
    assert EN.plural("one", "{n} of {m}", 1200, m=2) == "1,200 of 2"
    assert mark("today") == "today"


def test_a_later_folder_overrides_an_earlier_one(tmp_path: Path) -> None:
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "extra.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        'msgid "today"\nmsgstr "ce jour"\n',
        "utf-8",
    )
    later = Language("fr", ZONE, (*CATALOGUES, tmp_path))
    earlier = Language("fr", ZONE, (tmp_path, *CATALOGUES))
    assert (later.text("today"), later.text("tomorrow")) == ("ce jour", "demain")
    assert earlier.text("today") == "aujourd’hui"


def test_a_catalogue_is_read_once() -> None:
    assert Language("fr", "UTC")._words is FR._words

"""The spans of entries that become segments."""

import time
from contextlib import closing
from pathlib import Path

import pytest

from gateway.domain.merkle import Frontier
from gateway.errors import JournalError
from gateway.journal import schema
from gateway.journal.archive.span import LARGEST, MonthSpan, month, piece
from tests.unit.archiving import FEBRUARY, JANUARY, MARCH, utc, written
from tests.unit.journaled import change


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.mark.parametrize(
    ("first", "before", "found"),
    [
        (1, FEBRUARY - 0.001, None),
        (1, FEBRUARY, MonthSpan("2026-01", 1, 3)),
        (2, FEBRUARY, MonthSpan("2026-01", 2, 3)),
        (3, FEBRUARY, MonthSpan("2026-01", 3, 3)),
        (4, FEBRUARY, None),
        (4, MARCH, MonthSpan("2026-02", 4, 5)),
        (6, MARCH, None),
        (6, utc(2026, 4, 1), MonthSpan("2026-03", 6, 6)),
        (7, utc(2028, 1, 1), None),
    ],
)
def test_a_span_is_the_rest_of_a_month_that_has_ended(
    path: Path, first: int, before: float, found: MonthSpan | None
) -> None:
    written(path, JANUARY, JANUARY + 5, FEBRUARY - 0.001, FEBRUARY, MARCH - 0.001, MARCH)
    with closing(schema.open_for_reading(path)) as connection:
        assert month(connection, first, before) == found


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_a_month_is_that_of_utc_on_a_machine_in_any_zone(
    path: Path, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(path, JANUARY, FEBRUARY - 0.001, FEBRUARY)
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        with closing(schema.open_for_reading(path)) as connection:
            assert month(connection, 1, FEBRUARY) == MonthSpan("2026-01", 1, 2)
            assert month(connection, 1, FEBRUARY - 0.001) is None
    time.tzset()


def test_december_ends_with_its_year(path: Path) -> None:
    written(path, JANUARY - 1, JANUARY)
    with closing(schema.open_for_reading(path)) as connection:
        assert month(connection, 1, JANUARY - 1) is None
        assert month(connection, 1, JANUARY) == MonthSpan("2025-12", 1, 1)


@pytest.mark.parametrize("number", range(1, 7))
def test_the_end_of_a_month_is_found_among_any_number_of_entries(path: Path, number: int) -> None:
    written(path, *[JANUARY + n for n in range(number)], *[FEBRUARY] * (7 - number))
    with closing(schema.open_for_reading(path)) as connection:
        found = month(connection, 1, FEBRUARY)
        assert found is not None
        assert (found.last, found.count) == (number, number)
        assert found.name == f"2026-01.1-{number}.archive"


def test_a_piece_is_limited_in_length_and_ends_with_its_log(path: Path) -> None:
    assert LARGEST == 262_144
    written(path, JANUARY, kind="open")
    written(path, *[JANUARY] * 4)
    written(path, JANUARY, kind="open")
    written(path, JANUARY)
    whole = MonthSpan("2026-01", 1, 7)
    with closing(schema.open_for_reading(path)) as connection:
        for largest, last in ((1, 1), (2, 2), (5, 5), (6, 5), (9, 5)):
            expected = MonthSpan("2026-01", 1, last, "aaaa", Frontier())
            assert piece(connection, whole, largest) == expected
        opening = piece(connection, MonthSpan("2026-01", 6, 7), 9)
        assert opening == MonthSpan("2026-01", 6, 7, "aaaa", Frontier())
        with pytest.raises(JournalError, match="segment that ends with entry 2 is not known"):
            piece(connection, MonthSpan("2026-01", 3, 7))
    grown = Frontier().grown(bytes(32), bytes(32))
    insert = "INSERT INTO segment VALUES (1, 2, 2, '', x'', 0, 'bbbb', 2, ?)"
    change(path, insert, grown.to_bytes())
    with closing(schema.open_for_reading(path)) as connection:
        found = piece(connection, MonthSpan("2026-01", 3, 4))
        assert found == MonthSpan("2026-01", 3, 4, "bbbb", grown)


def test_a_log_without_an_opening_has_no_origin(path: Path) -> None:
    written(path, JANUARY)
    with closing(schema.open_for_reading(path)) as connection:
        found = piece(connection, MonthSpan("2026-01", 1, 1))
        assert found == MonthSpan("2026-01", 1, 1, "", Frontier())

"""The journal's counts: names, marks of devices, and refusals that are reported once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.journal import counters
from gateway.journal.counters import FEEDS, RECEIVED, REFUSED, Mark
from gateway.journal.writer import Journal
from tests.unit.journaled import NOW, change, rows


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.db", "g1")
    yield made
    made.close()


def test_a_count_grows_by_one_and_is_saved_with_its_batch(journal: Journal, tmp_path: Path) -> None:
    for n in (1, 2, 3):
        with journal.transaction():
            journal.counters.add("stored")
        assert rows(tmp_path / "journal.db", "SELECT * FROM counter") == [("stored", n)]
    with pytest.raises(ZeroDivisionError), journal.transaction():
        journal.counters.add("stored")
        journal.counters.add("late")
        raise ZeroDivisionError
    with journal.transaction():
        journal.counters.add("fork")
    expected = [("fork", 1), ("stored", 3)]
    assert rows(tmp_path / "journal.db", "SELECT * FROM counter ORDER BY name") == expected


def test_only_changed_counts_are_written(journal: Journal, tmp_path: Path) -> None:
    with journal.transaction():
        journal.counters.add("stored")
        journal.counters.add("late")
    change(tmp_path / "journal.db", "UPDATE counter SET value = 9")
    with journal.transaction():
        journal.counters.add("late")
    found = rows(tmp_path / "journal.db", "SELECT * FROM counter ORDER BY name")
    assert found == [("late", 2), ("stored", 9)]


def test_marks_have_device_anomaly_count_and_last_time(journal: Journal) -> None:
    with journal.transaction():
        journal.counters.mark("fork", "bbbbbb", NOW + 0.9)
        journal.counters.mark("fork", "aaaaaa", NOW + 1.2)
        journal.counters.mark("fork", "bbbbbb", NOW + 7.9)
        journal.counters.add("stored")
    first, second = Mark("aaaaaa", "fork", 1, int(NOW) + 1), Mark("bbbbbb", "fork", 2, int(NOW) + 7)
    assert journal.counters.marks() == [first, second]
    assert journal.counters.marks(changed_only=True) == [first, second]
    assert journal.counters.marks(changed_only=True) == []
    with journal.transaction():
        journal.counters.mark("gap", "aaaaaa", NOW)
    third = Mark("aaaaaa", "gap", 1, int(NOW))
    assert journal.counters.marks() == [first, second, third]
    assert journal.counters.marks(changed_only=True) == [third]


def test_marks_are_read_from_the_file(journal: Journal, tmp_path: Path) -> None:
    with journal.transaction():
        journal.counters.mark("gap", "aaaaaa", NOW)
    journal.close()
    again = Journal(tmp_path / "journal.db", "g1")
    assert again.counters.marks() == [Mark("aaaaaa", "gap", 1, int(NOW))]
    assert again.counters.marks(changed_only=True) == []
    again.close()


def test_a_mark_that_was_rolled_back_is_not_reported(journal: Journal) -> None:
    with pytest.raises(ZeroDivisionError), journal.transaction():
        journal.counters.mark("gap", "aaaaaa", NOW)
        raise ZeroDivisionError
    assert journal.counters.marks(changed_only=True) == []
    assert journal.counters.marks() == []


def test_a_mark_without_a_time_was_never(tmp_path: Path, journal: Journal) -> None:
    with journal.transaction():
        journal.counters.add("gap@aaaaaa")
    assert journal.counters.marks() == [Mark("aaaaaa", "gap", 1, 0)]


def test_refusals_are_reported_once_by_reason(journal: Journal, tmp_path: Path) -> None:
    with journal.transaction():
        for name in (*REFUSED, *FEEDS, "bad_mac", "stored"):
            journal.counters.add(name)
        expected = dict.fromkeys((*REFUSED, *FEEDS), 1) | {"bad_mac": 2}
        assert journal.counters.take_refused() == expected
        assert journal.counters.take_refused() == {}
    with journal.transaction():
        for _ in range(3):
            journal.counters.add("flood")
    journal.close()
    again = Journal(tmp_path / "journal.db", "g1")
    with again.transaction():
        assert again.counters.take_refused() == {"flood": 3}
    again.close()
    third = Journal(tmp_path / "journal.db", "g1")
    assert third.counters.take_refused() == {}
    third.close()


def test_status_names_counts_as_the_wire_contract_does() -> None:
    names = (*RECEIVED, *REFUSED, *FEEDS)
    counts = {name: n for n, name in enumerate(names, 1)} | {"told.flood": 9, "gap@aaaaaa": 9}
    assert counters.status(counts) == {
        "received": {"stored": 1, "duplicate": 2, "flagged": 3, "late": 4, "fork": 5},
        "refused": {
            "bad_mac": 6, "unknown_device": 7, "revoked": 8, "old_key": 9, "oversize": 10,
            "flood": 11,
        },
        "journal": {"messages": 1 + 3 + 4 + 5},
        "feeds": {"retained": 12, "unreadable": 13, "refused": 14},
    }  # fmt: skip
    assert counters.status({})["journal"] == {"messages": 0}
    for part in ("received", "refused", "feeds"):
        assert set(counters.status({})[part].values()) == {0}

"""The journal's log: leaves, salts, times and milestones."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.domain import leaf
from gateway.domain.merkle import Frontier
from gateway.journal import log as log_module
from gateway.journal.integrity.witness import LogMark
from gateway.journal.log import EntryMark
from gateway.journal.writer import Journal
from tests.unit.journaled import DEVICE, NOW, facts, leaf_hashes, rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    made = Journal(path, "g1")
    yield made
    made.close()


def test_an_entry_has_leaf_salt_body_and_mark(journal: Journal, path: Path) -> None:
    with journal.transaction():
        mark = EntryMark("late", "version", "sig", newest=True)
        first = journal.log.append("msg", NOW + 0.0019, DEVICE, b"body", {"b": "2", "a": "1"}, mark)
        second = journal.log.append("run", NOW, "-", b"{}")
        assert (first, second, journal.last_id) == (1, 2, 2)
        assert journal.log.frontier == Frontier()  # of what is saved
    ms = int((NOW + 0.0019) * 1000)
    assert rows(path, "SELECT time_ms, kind, subject, verdict, flag, auth, newest FROM entry") == [
        (ms, "msg", DEVICE, "late", "version", "sig", 1),
        (ms, "run", "-", None, None, None, 0),
    ]
    found = rows(path, "SELECT leaf, salt, body FROM entry JOIN body ON id = entry ORDER BY id")
    for (text, salt, body), lines in zip(found, [{"a": "1", "b": "2"}, {}], strict=True):
        kind, subject = ("msg", DEVICE) if lines else ("run", "-")
        assert text == leaf.text(kind, ms, "g1", subject, leaf.commit(salt, body), lines)
    assert len({salt for _, salt, _ in found}) == 2
    assert [body for *_, body in found] == [b"body", b"{}"]
    assert journal.log.frontier == Frontier().grown(*leaf_hashes(path))
    assert journal.log.seen == LogMark("", journal.log.frontier)


def test_salts_are_never_used_twice(journal: Journal, path: Path) -> None:
    facts(journal, 600)
    ((salts, least, most),) = rows(
        path, "SELECT count(DISTINCT salt), min(length(salt)), max(length(salt)) FROM body"
    )
    assert (salts, least, most) == (600, 32, 32)


def test_the_time_of_entries_never_decreases_after_a_restart_either(
    journal: Journal, path: Path
) -> None:
    with journal.transaction():
        for second in (10.0, 9.0, 10.5):
            journal.log.append_fact("run", second, {})
    journal.close()
    again = Journal(path, "g1")
    with again.transaction():
        again.log.append_fact("run", 3.0, {})
        again.log.append_fact("run", 10.501, {})
    again.close()
    times = [ms for (ms,) in rows(path, "SELECT time_ms FROM entry ORDER BY id")]
    assert times == [10_000, 10_000, 10_500, 10_500, 10_501]


def test_the_first_entry_may_have_any_time(journal: Journal, path: Path) -> None:
    with journal.transaction():
        journal.log.append_fact("run", 0.001, {})
    assert rows(path, "SELECT time_ms FROM entry") == [(1,)]


def test_a_fact_is_compact_sorted_json(journal: Journal, path: Path) -> None:
    with journal.transaction():
        journal.log.append_fact("reg", NOW, {"b": 1, "a": "ä"}, "t1", {"to": "x"})
        journal.log.append_fact("run", NOW, {})
    assert rows(path, "SELECT body FROM body ORDER BY entry") == [
        (b'{"a":"\\u00e4","b":1}',), (b"{}",),
    ]  # fmt: skip
    (first,), (second,) = rows(path, "SELECT leaf FROM entry ORDER BY id")
    assert first.splitlines()[4::2] == [b"t1", b"to=x"]
    assert second.splitlines()[4] == b"-"


def test_milestones_keep_the_frontier_after_so_many_leaves(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert log_module._MILESTONE == 65_536
    monkeypatch.setattr(log_module, "_MILESTONE", 4)
    expected = []
    for size in (3, 1, 3, 2, 4):  # ends after 3, 4, 7, 9 and 13 entries
        facts(journal, size)
        if journal.last_id in (4, 9, 13):
            expected.append((journal.last_id, journal.last_id, journal.log.frontier.to_bytes()))
    assert rows(path, "SELECT * FROM milestone ORDER BY entry") == expected
    journal.close()
    again = Journal(path, "g1")
    facts(again, 3)
    assert len(rows(path, "SELECT * FROM milestone")) == 3
    facts(again, 1)
    again.close()
    assert [n for n, _, _ in rows(path, "SELECT * FROM milestone ORDER BY entry")][-1] == 17


def test_a_rollback_forgets_what_was_appended(journal: Journal, path: Path) -> None:
    facts(journal, 2)
    before = journal.log.seen
    with pytest.raises(ZeroDivisionError), journal.transaction():
        journal.log.append_fact("run", NOW, {})
        journal.log.flush()
        journal.log.append_fact("run", NOW, {})
        assert journal.last_id == 4
        raise ZeroDivisionError
    assert (journal.last_id, journal.log.seen) == (2, before)
    facts(journal, 1)
    assert journal.log.frontier == Frontier().grown(*leaf_hashes(path))
    assert [n for (n,) in rows(path, "SELECT id FROM entry")] == [1, 2, 3]


def test_a_flush_writes_each_entry_once(journal: Journal, path: Path) -> None:
    with journal.transaction():
        journal.log.append_fact("run", NOW, {})
        journal.log.flush()
        journal.log.append_fact("run", NOW, {})
        journal.log.flush()
        journal.log.flush()
    assert journal.log.frontier == Frontier().grown(*leaf_hashes(path))
    assert journal.log.frontier.size == 2

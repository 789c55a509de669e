"""A restored journal: what it still extends, how its log is closed, and its database set back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.database.tables import fact, projection
from gateway.domain.merkle import Frontier
from gateway.journal.integrity.witness import LogMark, Witness
from gateway.journal.rollback import close_log, find_rollback, realign_database
from gateway.journal.writer import Journal
from tests.unit.journaled import NOW, facts, leaf_hashes, opened, rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    made = Journal(path, "g1")
    yield made
    made.close()


def test_a_log_holds_what_it_extends_and_nothing_else(journal: Journal, path: Path) -> None:
    opened(journal, "aaaa")
    first = journal.log.seen
    facts(journal, 5)
    middle = journal.log.seen
    facts(journal, 2)
    last, hashes = journal.log.seen, leaf_hashes(path)
    assert last == LogMark("aaaa", Frontier().grown(*hashes))
    for seen in (LogMark("aaaa", Frontier()), first, middle, last):
        assert journal.log.holds(seen)
    grown = LogMark("aaaa", last.frontier.grown(bytes(32)))
    forged = LogMark("aaaa", first.frontier.grown(*hashes[1:5], bytes(32)))
    for seen in (grown, forged, LogMark("bbbb", first.frontier)):
        assert not journal.log.holds(seen)


def test_a_restored_log_is_closed_and_named_by_the_next(journal: Journal, path: Path) -> None:
    opened(journal, "aaaa")
    facts(journal, 2)
    seen = LogMark("aaaa", journal.log.frontier.grown(bytes(32), bytes(32)))
    with journal.transaction():
        assert close_log(journal, seen) == {
            "origin": "aaaa", "size": 5, "root": seen.frontier.root().hex(), "kept": 3,
        }  # fmt: skip
        assert (journal.log.origin, journal.last_id) == ("", 3)
        journal.log.append_fact("open", NOW, {"origin": "bbbb"})
        journal.log.origin = "bbbb"
    assert rows(path, "SELECT * FROM former_log") == [("aaaa", 3, 5)]
    assert (journal.last_id, journal.log.frontier.size) == (4, 1)
    assert journal.log.holds(seen)
    assert journal.log.holds(LogMark("aaaa", Frontier(4, (bytes(32),))))
    assert not journal.log.holds(LogMark("aaaa", seen.frontier.grown(bytes(32))))
    assert journal.log.holds(journal.log.seen)
    facts(journal, 2)
    journal.close()
    again = Journal(path, "g1")
    assert (again.log.origin, again.last_id, again.log.frontier.size) == ("bbbb", 6, 3)
    assert again.log.holds(LogMark("bbbb", Frontier().grown(*leaf_hashes(path)[3:5])))
    again.close()


def test_a_restored_log_that_was_longer_than_seen_is_shown_whole(
    journal: Journal, path: Path
) -> None:
    opened(journal, "aaaa")
    seen = journal.log.seen
    facts(journal, 2)
    with journal.transaction():
        assert close_log(journal, seen)["kept"] == 3
    assert rows(path, "SELECT * FROM former_log") == [("aaaa", 3, 3)]


def test_another_log_that_was_seen_is_former_without_leaves_here(
    journal: Journal, path: Path
) -> None:
    opened(journal, "aaaa")
    facts(journal, 1)
    seen = LogMark("zzzz", Frontier(8, (bytes(32),)))
    with journal.transaction():
        assert close_log(journal, seen)["kept"] == 0
    assert rows(path, "SELECT * FROM former_log ORDER BY origin") == [
        ("aaaa", 2, 2), ("zzzz", 0, 8),
    ]  # fmt: skip


def test_an_empty_journal_whose_log_others_saw_names_only_that_log(
    journal: Journal, path: Path
) -> None:
    with journal.transaction():
        close_log(journal, LogMark("zzzz", Frontier(8, (bytes(32),))))
    assert rows(path, "SELECT * FROM former_log") == [("zzzz", 0, 8)]


def test_a_closed_log_is_reported_with_its_sizes(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    opened(journal, "aaaa")
    with journal.transaction():
        close_log(journal, LogMark("aaaa", Frontier(8, (bytes(32),))))
    (record,) = caplog.records
    assert record.getMessage().startswith("the journal has 1 leaves of log aaaa, which had 8:")


def test_a_rollback_is_found_by_the_longest_log_that_is_missing(
    journal: Journal, tmp_path: Path
) -> None:
    witness = Witness([tmp_path / "a.witness", tmp_path / "b.witness"])
    assert find_rollback(journal, witness) is None  # a new journal
    opened(journal, "aaaa")
    assert find_rollback(journal, witness) == journal.log.seen  # copied without its witness
    witness.keep(journal.log.seen)
    assert find_rollback(journal, witness) is None
    longer = LogMark("aaaa", journal.log.frontier.grown(bytes(32)))
    longest = LogMark("aaaa", journal.log.frontier.grown(bytes(32), bytes(32)))
    for one, mark in (("a", longer), ("b", longest)):
        single = Witness([tmp_path / f"{one}.witness"])
        single.keep(mark)
        single.close()
    assert find_rollback(journal, witness) == longest
    witness.close()


def test_a_database_newer_than_the_journal_is_set_back_to_its_end() -> None:
    engine = sa.create_engine("sqlite://")
    fact.metadata.create_all(engine, [fact, projection])
    with engine.begin() as connection:
        for n, entry in enumerate((None, 4, 5, 6, 9)):
            values = {"id": n, "key": str(n), "time": 0.0, "kind": "reg", "subject": "-"}
            values |= {"lines": {}, "body": {}, "entry_id": entry}
            connection.execute(sa.insert(fact).values(**values))
        for n in (4, 5, 6, 9):
            connection.execute(sa.insert(projection).values(name=str(n), cursor=n))
    realign_database(engine, 5)
    with engine.connect() as connection:
        assert connection.scalars(sa.select(fact.c.entry_id).order_by(fact.c.id)).all() == [
            None, 4, 5, None, None,
        ]  # fmt: skip
        cursors = connection.scalars(sa.select(projection.c.cursor).order_by(projection.c.name))
        assert cursors.all() == [4, 5, 5, 5]
    engine.dispose()

"""The full verification of leaves, bodies and archive."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.domain import merkle
from gateway.domain.merkle import Frontier
from gateway.journal.archive.writer import ArchiveWriter
from gateway.journal.integrity import verify
from gateway.journal.integrity.verify import Verification, VerifyProgress
from gateway.journal.writer import Journal
from tests.unit.journaled import NOW, change, filled, rows

MARCH = datetime(2026, 3, 1, tzinfo=UTC).timestamp()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def verified(path: Path) -> VerifyProgress:
    with closing(Verification(path)) as verification:
        for _ in verification.steps():
            pass
        return verification.found


def archived(path: Path, messages: int, facts: int = 0) -> None:
    """A journal whose February is archived, then so many facts of March."""
    filled(path, messages, "msg", MARCH - 1000)
    filled(path, facts, "run", MARCH)
    with closing(ArchiveWriter(path)) as archive:
        for _ in archive.steps(MARCH):
            pass


def test_an_intact_journal_is_verified_and_counted(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(path, 7)
    monkeypatch.setattr(verify, "_AT_ONCE", 3)
    with closing(Verification(path)) as verification:
        assert verification.leaves == 7
        assert list(verification.steps()) == [
            ("entries", 3, 7), ("entries", 6, 7), ("entries", 7, 7),
        ]  # fmt: skip
        root = Frontier().grown(
            *(merkle.leaf_hash(leaf) for (leaf,) in rows(path, "SELECT leaf FROM entry"))
        )
        assert verification.found == VerifyProgress(7, 7, 0, 0, root.root().hex())


def test_an_empty_journal_is_intact(path: Path) -> None:
    filled(path, 0)
    assert verified(path) == VerifyProgress(root=Frontier().root().hex())


def test_archived_bodies_are_verified_in_their_segment(path: Path) -> None:
    archived(path, 5, 2)
    with closing(Verification(path)) as verification:
        steps = list(verification.steps())
        assert steps == [("entries", 7, 7), ("2026-02.1-5.archive", 5, 5)]
        found = verification.found
    assert (found.entries, found.bodies, found.archived, found.segments) == (7, 2, 5, 1)
    assert (found.faults, found.strays) == ([], [])
    (path.parent / "archive" / "b.archive").touch()
    (path.parent / "archive" / "a.archive").touch()
    (path.parent / "archive" / "a.other").touch()
    assert verified(path).strays == ["a.archive", "b.archive"]


def test_a_segment_that_is_changed_or_ends_elsewhere_is_a_fault(path: Path) -> None:
    archived(path, 5)
    change(path, "UPDATE segment SET nodes = x'00'")
    found = verified(path)
    assert len(found.faults) == 2
    assert found.faults[0] == "the entries up to 5 do not hash to what was saved then"
    assert found.faults[1].endswith("2026-02.1-5.archive does not end where the journal says")
    change(path, "UPDATE segment SET nodes = (SELECT nodes FROM frontier)")
    assert verified(path).faults == []
    segment = path.parent / "archive" / "2026-02.1-5.archive"
    segment.write_bytes(segment.read_bytes()[:-1])
    found = verified(path)
    assert (len(found.faults), found.segments) == (1, 0)
    assert "was changed or cut short" in found.faults[0]
    segment.unlink()
    found = verified(path)
    assert (len(found.faults), found.strays) == (1, [])


@pytest.mark.parametrize(
    ("damage", "faults"),
    [
        ("DELETE FROM entry WHERE id = 2", ["entries 2 to 2 are lost", "frontier"]),
        ("DELETE FROM entry WHERE id IN (1, 2)", ["entries 1 to 2 are lost", "frontier"]),
        ("DELETE FROM entry WHERE id > 3", ["entries 4 to 5 are lost", "frontier"]),
        ("DELETE FROM entry WHERE id = 5", ["entries 5 to 5 are lost", "frontier"]),
        (
            "UPDATE entry SET leaf = CAST(leaf || 'x=y\n' AS BLOB) WHERE id = 2",
            ["entries do not hash to the log's frontier: they were changed"],
        ),
        ("UPDATE body SET body = x'00' WHERE entry = 3", ["entry 3: its body is not what its"]),
        ("UPDATE body SET salt = zeroblob(32) WHERE entry = 3", ["entry 3: its body is not what"]),
        ("DELETE FROM body WHERE entry = 3", ["entry 3: its body is neither here nor in the"]),
    ],
)
def test_each_damage_is_a_fault_with_its_entries(
    path: Path, damage: str, faults: list[str]
) -> None:
    filled(path, 5, "msg")
    change(path, damage)
    found = verified(path).faults
    assert len(found) == len(faults)
    for sentence, expected in zip(found, faults, strict=True):
        assert expected in sentence


def test_lost_entries_at_a_batchs_end_are_named_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(path, 6)
    change(path, "DELETE FROM entry WHERE id = 3")
    monkeypatch.setattr(verify, "_AT_ONCE", 3)
    assert verified(path).faults[0] == "entries 3 to 3 are lost"
    assert len(verified(path).faults) == 2


def test_a_body_is_in_the_archive_only_for_messages_and_removed_entries(path: Path) -> None:
    archived(path, 5)
    change(path, "UPDATE segment SET removed = 3")
    assert [fault[:8] for fault in verified(path).faults] == ["entry 4:", "entry 5:"]
    change(path, "UPDATE segment SET removed = 5")
    change(path, "UPDATE entry SET kind = 'run' WHERE id = 2")
    assert [fault[:8] for fault in verified(path).faults] == ["entry 2:"]
    change(path, "UPDATE entry SET kind = 'fork' WHERE id = 2")
    assert verified(path).faults == []
    change(path, "UPDATE segment SET first = 2")
    assert [fault[:8] for fault in verified(path).faults][:1] == ["entry 1:"]


def test_a_month_that_is_archived_during_the_verification_is_no_fault(path: Path) -> None:
    filled(path, 5, "msg", MARCH - 1000)
    with closing(Verification(path)) as verification:
        with closing(ArchiveWriter(path)) as archive:
            for _ in archive.steps(MARCH):
                pass
        for _ in verification.steps():
            pass
        assert (verification.found.faults, verification.found.strays) == ([], [])
        assert verification.found.archived == 5


def test_a_milestone_must_be_the_frontier_of_its_entry(path: Path) -> None:
    filled(path, 5)
    change(path, "INSERT INTO milestone VALUES (3, 3, zeroblob(64))")
    assert verified(path).faults == ["the entries up to 3 do not hash to what was saved then"]


def test_each_log_is_verified_from_its_opening(path: Path) -> None:
    filled(path, 1, "open")
    filled(path, 2)
    journal = Journal(path, "g1")
    with journal.transaction():
        journal.log.begin_again(journal.log.seen)
        journal.log.append_fact("open", NOW, {"origin": "bbbb"})
    journal.close()
    found = verified(path)
    assert (found.entries, found.faults) == (4, [])
    assert found.root == journal.log.frontier.root().hex()


def test_only_the_first_faults_are_kept() -> None:
    found = VerifyProgress()
    for n in range(25):
        found.fault(str(n))
    assert found.faults == [str(n) for n in range(20)]

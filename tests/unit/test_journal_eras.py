"""The eras of each device: saved, read, ordered, and extended without a query."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.domain.chain import NOWHERE, AckLine, ChainLink
from gateway.journal import schema
from gateway.journal.eras import KEPT, Era, Eras
from tests.unit.journaled import DEVICE, ERA, change


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


class Saved:
    """The table of eras without messages."""

    def __init__(self, path: Path) -> None:
        self.database = schema.open_for_writing(path)
        self.eras = Eras(self.database)

    def save(self, *eras: Era) -> None:
        for era in eras:
            self.eras.touch(era)
        self.eras.save()


@pytest.fixture
def saved(path: Path) -> Iterator[Saved]:
    made = Saved(path)
    yield made
    made.database.close()


def test_an_era_is_saved_and_read_field_by_field(saved: Saved) -> None:
    era = Era(DEVICE, ERA, 3, 0, (4, 5), AckLine(ChainLink((6, 7), "h"), (8, 9)), 10, "root")
    saved.save(era)
    assert saved.eras.get(DEVICE, ERA) == era._replace(recency=1)
    assert Eras(saved.database).all() == [era._replace(recency=1)]


def test_a_touched_era_takes_the_place_and_line_that_are_given(saved: Saved) -> None:
    era = Era(DEVICE, ERA, 3, 0, (4, 5), AckLine(ChainLink((6, 7), "h"), (8, 9)), 10, "root")
    line = AckLine(ChainLink((6, 8), "i"))
    assert saved.eras.touch(era, (5, 1)) == era._replace(recency=1, newest=(5, 1))
    assert saved.eras.touch(era, line=line) == era._replace(recency=2, line=line)
    assert saved.eras.get(DEVICE, ERA) == era._replace(recency=2, line=line)
    assert saved.eras.touch(era) == era._replace(recency=3)


def test_eras_are_in_the_order_of_their_last_message(saved: Saved) -> None:
    a, b, c = Era("d1", "a"), Era("d2", "b"), Era("d1", "c")
    saved.save(a, b, c, a)
    assert [e.era for e in saved.eras.all()] == ["b", "c", "a"]
    assert [e.recency for e in saved.eras.all()] == [2, 3, 4]
    assert saved.eras.last_of("d1") == a._replace(recency=4)
    assert saved.eras.last_of("d3") is None
    saved.eras.reload()
    assert saved.eras.last_of("d1") == a._replace(recency=4)
    assert saved.eras.touch(c).recency == 5
    saved.eras.touch(b)
    assert [e.era for e in saved.eras.unsaved()] == ["c", "b"]
    saved.eras.reload()
    assert saved.eras.unsaved() == []
    assert [e.era for e in saved.eras.all()] == ["b", "c", "a"]


def test_only_the_newest_eras_of_a_device_are_in_memory(saved: Saved, path: Path) -> None:
    assert KEPT == 8
    names = [f"era{n}" for n in range(9)]
    saved.save(Era("d2", "other"), *(Era(DEVICE, name, n + 1) for n, name in enumerate(names)))
    assert [e.era for e in saved.eras.all()] == ["other", *names[1:]]
    assert saved.eras.get(DEVICE, "era0") == Era(DEVICE, "era0", 1, 2)  # from the database
    empty = Era(DEVICE, "none", 0, 0, NOWHERE, AckLine(), 0, "")
    assert saved.eras.get(DEVICE, "none") == empty
    saved.eras.reload()
    assert [e.era for e in saved.eras.all()] == ["other", *names[1:]]
    saved.save(saved.eras.get(DEVICE, "era0"))
    assert [e.era for e in saved.eras.all()] == ["other", *names[2:], "era0"]
    change(path, "DELETE FROM era WHERE era = 'era0'")
    assert saved.eras.get("d2", "era0") == Era("d2", "era0")
    assert saved.eras.get(DEVICE, "era0").first == 1  # from memory


def test_a_line_is_extended_only_where_nothing_else_can_matter(saved: Saved) -> None:
    line = AckLine(ChainLink((1, 5), "h5"), (1, 2))
    era = Era(DEVICE, ERA, 1, 1, (1, 5), line)
    saved.save(era)
    found = saved.eras.extended(DEVICE, (ERA, 1, 6), "h5", (1, 4), "h6")
    assert found == (era, AckLine(ChainLink((1, 6), "h6"), (1, 4)))
    for old, kept in ((None, (1, 2)), ((1, 1), (1, 2)), ((1, 6), (1, 6)), ((1, 7), (1, 2))):
        grown = saved.eras.extended(DEVICE, (ERA, 1, 6), "h5", old, "h6")
        assert grown is not None and grown[1].old == kept
    assert saved.eras.extended(DEVICE, (ERA, 1, 5), "h5", None, "h6") is None
    assert saved.eras.extended(DEVICE, (ERA, 1, 6), "", None, "h6") is None


@pytest.mark.parametrize("spoiled", [{"loose": 1}, {"root": "h5"}])
def test_a_line_is_not_extended_blindly_beside_a_loose_message_or_its_root(
    saved: Saved, spoiled: dict[str, object]
) -> None:
    whole = Era(DEVICE, ERA, 1, 1, (1, 5), AckLine(ChainLink((1, 5), "h5")))
    other = Era(DEVICE, "other", 1)._replace(**spoiled)
    saved.save(whole, other)
    assert saved.eras.extended(DEVICE, (ERA, 1, 6), "h5", None, "h6") is None
    saved.save(other._replace(loose=0, root="h4"))
    assert saved.eras.extended(DEVICE, (ERA, 1, 6), "h5", None, "h6") is not None

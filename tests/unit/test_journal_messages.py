"""What the journal does with authentic messages: verdict, line, key, marks, and both its paths."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.chain import NOWHERE, AckLine, ChainLink
from gateway.journal.counters import Mark
from gateway.journal.eras import KEPT, Era
from gateway.journal.writer import Journal
from gateway.wire import Admitted
from tests.unit.journaled import DEVICE, ERA, NOW, accept, arrival, chain, message, rows

_MESSAGES = (
    "SELECT entry, device, era, boot, seq, prev, fork FROM (SELECT * FROM message"
    " UNION ALL SELECT * FROM unfiled) ORDER BY entry"
)
_ENTRIES = "SELECT id, time_ms, kind, subject, verdict, flag, auth, newest FROM entry ORDER BY id"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.db", "g1")
    yield made
    made.close()


def state(path: Path) -> dict[str, list[Any]]:
    """All that both paths write, but the salts."""
    queries = {
        "entry": _ENTRIES, "message": _MESSAGES, "body": "SELECT entry, body FROM body",
        "era": "SELECT * FROM era",
        "counter": "SELECT * FROM counter ORDER BY name",
    }  # fmt: skip
    return {name: rows(path, query) for name, query in queries.items()}


def verdicts(path: Path) -> list[tuple[str, str, str | None, int]]:
    return rows(path, "SELECT kind, verdict, flag, newest FROM entry ORDER BY id")


def marks(journal: Journal) -> list[tuple[str, str, int]]:
    return [(m.device, m.what, m.count) for m in journal.counters.marks()]


def test_a_first_message_begins_its_era_and_line(journal: Journal, tmp_path: Path) -> None:
    first = message((1, 1))
    (era,) = accept(journal, first)
    end = AckLine(ChainLink((1, 1), first.link))
    assert era == Era(DEVICE, ERA, 1, 1, (1, 1), end, 0, "")
    assert journal.eras.last_of(DEVICE) == era
    assert state(tmp_path / "journal.db") == {
        "entry": [(1, int(NOW * 1000), "msg", DEVICE, "stored", None, "mac", 1)],
        "message": [(1, DEVICE, ERA, 1, 1, "", 0)],
        "body": [(1, f"noria/1/{DEVICE}/up\n".encode() + first.object)],
        "era": [(DEVICE, ERA, 1, 1, 1, 1, 1, 1, first.link, 0, 0, 0, "")],
        "counter": [("stored", 1)],
    }
    assert marks(journal) == []
    saved = rows(tmp_path / "journal.db", "SELECT hash FROM message")
    assert saved == [(first.digest,)]


def test_a_linked_message_is_journaled_alike_with_and_without_a_query(tmp_path: Path) -> None:
    places = [(1, 1), (1, 2), (1, 4), (2, 1), (2, 2)]
    found = []
    for name, fast in (("slow", False), ("fast", True)):
        path = tmp_path / name / "journal.db"
        journal = Journal(path, "g1")
        for n, one in enumerate(chain(*places, old=(1, 1), auth="sig")):
            accept(journal, one, received=NOW + n, fast=fast)
        assert len(rows(path, "SELECT * FROM unfiled")) == (4 if fast else 0)
        found.append(state(path))
        with journal.transaction():  # files what waits
            assert not journal.messages.is_recent(DEVICE, b"")
        assert [row[:2] for row in rows(path, "SELECT * FROM message")] == [
            (n, DEVICE) for n in range(1, 6)
        ]
        journal.close()
    assert found[0] == found[1]
    last = chain(*places, old=(1, 1), auth="sig")[-1].link
    assert found[0]["era"] == [(DEVICE, ERA, 1, 5, 2, 2, 2, 2, last, 1, 1, 0, "")]
    assert [row[4:] for row in found[0]["entry"]] == [("stored", None, "sig", 1)] * 5


def _two_eras(of: list[Admitted]) -> list[Admitted]:
    return [*of, message((1, 1), of[-1].link, era="zzzzzzzz")]


def _many_eras(of: list[Admitted]) -> list[Admitted]:
    return [*(message((1, 1), era=f"era{n}", content=str(n)) for n in range(KEPT - 1)), *of]


@pytest.mark.parametrize(
    ("before", "changed", "fits"),
    [
        (list, {}, True),
        (list, {"place": (2, 1)}, True),
        (list, {"place": (1, 2)}, False),
        (list, {"place": (1, 1)}, False),
        (list, {"place": None}, False),
        (list, {"prev": ""}, False),
        (list, {"prev": None}, False),
        (list, {"prev": "x" * 22}, False),
        (list, {"flag": "version"}, False),
        (list, {"era": "zzzzzzzz"}, False),
        (list, {"generation": 2**31 - 1}, True),
        (list, {"device": "other1"}, False),
        (lambda of: [*of, message((1, 9), "gap")], {}, False),  # one that is not on the line
        (_two_eras, {}, False),  # the other era's line begins at the same prev
        (_many_eras, {}, False),
        (lambda of: _many_eras(of)[1:], {}, True),
    ],
)  # fmt: skip
def test_only_the_next_on_a_whole_line_needs_no_query(
    journal: Journal,
    before: Callable[[list[Admitted]], list[Admitted]],
    changed: dict[str, Any],
    fits: bool,
) -> None:
    began = chain((1, 1), (1, 2))
    accept(journal, *before(began))
    asked = message(**({"place": (1, 3), "prev": began[-1].link} | changed))
    last = journal.last_id
    with journal.transaction():
        assert journal.messages.accept_next(arrival(asked), asked) is fits
        assert journal.last_id == last + fits


def test_the_same_object_is_a_duplicate_and_repeats_its_eras_ack(
    journal: Journal, tmp_path: Path
) -> None:
    first, second = chain((1, 1), (1, 2))
    (_, line, again) = accept(journal, first, second, first)
    assert again == line._replace(recency=3)
    assert journal.last_id == 2
    assert accept(journal, first, fast=True) == [again._replace(recency=4)]
    unreadable = message(None, None, flag="json", readable=False)
    accept(journal, unreadable)
    assert accept(journal, unreadable)[0] == journal.eras.get(DEVICE, ERA)
    assert dict(rows(tmp_path / "journal.db", "SELECT * FROM counter"))["duplicate"] == 3
    assert journal.last_id == 3


def test_a_device_whose_every_message_is_unreadable_has_no_era(journal: Journal) -> None:
    odd = message(None, None, flag="json", readable=False)
    assert accept(journal, odd, odd) == [None, None]
    assert journal.last_id == 1
    (era,) = accept(journal, message((1, 1)))
    assert (era.loose, era.first) == (1, 2)
    (later,) = accept(journal, message(None, None, flag="json", content="2", readable=False))
    assert (later.loose, later.era, later.recency) == (2, ERA, 2)


@pytest.mark.parametrize(
    "other",
    [
        message((1, 2), "other prev"),
        message((1, 5), chain((1, 1), (1, 2))[1].decoded.prev),
        message((1, 1), chain((1, 1), (1, 2))[1].decoded.prev, era="zzzzzzzz"),
    ],
)
def test_another_object_with_a_known_identity_or_prev_is_a_fork(
    journal: Journal, tmp_path: Path, other: Admitted
) -> None:
    accept(journal, *chain((1, 1), (1, 2)))
    line = journal.eras.get(DEVICE, ERA).line
    (era,) = accept(journal, other)
    assert verdicts(tmp_path / "journal.db")[-1] == ("fork", "fork", None, 0)
    assert rows(tmp_path / "journal.db", "SELECT fork FROM message ORDER BY entry")[-1] == (1,)
    assert journal.eras.get(DEVICE, ERA).line == line
    assert era.loose == 1
    if era.era == ERA:
        assert (era.newest, era.first) == ((1, 2), 1)
    else:
        assert (era.newest, era.first, era.line) == (NOWHERE, 3, AckLine())
    assert journal.counters.marks() == [Mark(DEVICE, "fork", 1, int(NOW))]


def test_a_message_behind_the_newest_is_late_and_closes_the_gap(
    journal: Journal, tmp_path: Path
) -> None:
    first, second, third, fourth = chain((1, 1), (1, 2), (1, 3), (1, 4))
    _, gap = accept(journal, first, third)
    assert (gap.loose, gap.newest, gap.line.end.place) == (1, (1, 3), (1, 1))
    (era,) = accept(journal, second)
    end = AckLine(ChainLink((1, 3), third.link))
    assert era == Era(DEVICE, ERA, 1, 3, (1, 3), end, 0, "")
    assert [v[1:] for v in verdicts(tmp_path / "journal.db")][1:] == [
        ("stored", None, 1), ("late", None, 0),
    ]  # fmt: skip
    with journal.transaction():
        assert journal.messages.accept_next(arrival(fourth), fourth)
    assert marks(journal) == []


def test_a_gap_that_the_device_cannot_fill_is_marked(journal: Journal) -> None:
    first, _, third = chain((1, 1), (1, 2), (1, 3), old=(1, 1))
    accept(journal, first)
    later = message((1, 4), third.link, old=(1, 4))
    (era,) = accept(journal, later)
    assert era.line == AckLine(ChainLink((1, 4), later.link), (1, 4))
    assert journal.counters.marks() == [Mark(DEVICE, "gap", 1, int(NOW))]


def test_a_line_that_begins_later_keeps_the_prev_where_it_began(journal: Journal) -> None:
    began = message((3, 7), "before", old=(3, 7))
    (era,) = accept(journal, began)
    line = AckLine(ChainLink((3, 7), began.link), (3, 7))
    assert era == Era(DEVICE, ERA, 1, 1, (3, 7), line, 0, "before")
    with journal.transaction():  # another that names that prev is a fork, which needs a query
        other = message((3, 8), "before")
        assert not journal.messages.accept_next(arrival(other), other)


def test_a_flagged_message_has_its_flag_in_the_leaf_and_is_on_the_line(
    journal: Journal, tmp_path: Path
) -> None:
    first = message((1, 1))
    odd = message((1, 2), first.link, flag="version")
    with journal.transaction():
        journal.messages.accept(arrival(first), first, {"as": "a"})
        era = journal.messages.accept(arrival(odd), odd, {"as": "b"})
    assert verdicts(tmp_path / "journal.db")[-1] == ("msg", "flagged", "version", 0)
    leaves = [leaf for (leaf,) in rows(tmp_path / "journal.db", "SELECT leaf FROM entry")]
    assert leaves[0].splitlines()[6:] == [b"as=a"]
    assert leaves[1].splitlines()[6:] == [b"as=b", b"flag=version"]
    assert era is not None
    assert (era.line.end, era.newest, era.loose) == (
        ChainLink((1, 2), odd.link), (1, 1), 0,
    )  # fmt: skip
    assert marks(journal) == [(DEVICE, "flagged", 1)]


def test_a_message_whose_prev_is_unreadable_continues_the_line_but_stays_loose(
    journal: Journal,
) -> None:
    first = message((1, 1))
    odd = message((1, 2), None, flag="json", readable=False)
    _, era = accept(journal, first, odd)
    assert (era.line.end.place, era.loose) == ((1, 2), 1)


def test_a_line_that_begins_with_an_unreadable_prev_is_never_extended_without_a_query(
    journal: Journal,
) -> None:
    odd = message((1, 1), None, flag="json", readable=False)
    (era,) = accept(journal, odd)
    assert (era.line.end.place, era.loose, era.root) == ((1, 1), 1, "")


def test_a_further_era_of_a_known_device_is_marked(journal: Journal) -> None:
    accept(journal, message((1, 1)), message((1, 1), device="other1"))
    assert marks(journal) == []
    accept(journal, message((1, 1), era="zzzzzzzz"))
    assert journal.counters.marks() == [Mark(DEVICE, "era", 1, int(NOW))]
    accept(journal, message((1, 2), "odd", era="zzzzzzzz"))
    assert marks(journal) == [(DEVICE, "era", 1)]

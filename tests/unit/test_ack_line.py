"""Each step of the ack line by hand: where it begins, what it links, and the gaps it passes."""

from typing import Any

import pytest

from gateway.domain.chain import AckLine, ChainLink, Identity, LineAdvance, advance
from gateway.domain.verdict import MessageKey, Verdict, judge
from tests.unit.known_messages import KnownInMemory

A, B, C = ChainLink((1, 1), "a"), ChainLink((1, 2), "b"), ChainLink((1, 3), "c")
D = ChainLink((2, 1), "d")


class Era:
    """The journaled messages of one era by place and by ``prev``, None where it is unreadable."""

    def __init__(self, *messages: tuple[ChainLink, str | None]) -> None:
        self._messages = messages

    def first(self) -> ChainLink | None:
        return self.at((1, 1))

    def at(self, place: Identity) -> ChainLink | None:
        return next((link for link, _ in self._messages if link.place == place), None)

    def after(self, h: str) -> ChainLink | None:
        return next((link for link, prev in self._messages if prev == h), None)

    def unlinked(self, place: Identity) -> ChainLink | None:
        found = (link for link, prev in self._messages if link.place == place and prev is None)
        return next(found, None)


def line(end: ChainLink, old: Identity = (1, 1)) -> AckLine:
    return AckLine(end, old)


@pytest.mark.parametrize(
    ("before", "era", "advanced"),
    [
        # Nothing came: it has not begun.
        (AckLine(), Era(), LineAdvance(AckLine(), None, 0)),
        (AckLine(), Era((B, "a")), LineAdvance(AckLine(), None, 0)),
        # It begins at the era's first message, and follows each link.
        (AckLine(), Era((A, "")), LineAdvance(AckLine(A), A, 0)),
        (AckLine(), Era((A, ""), (B, "a")), LineAdvance(AckLine(B), A, 1)),
        (AckLine(), Era((A, ""), (B, "a"), (C, "b"), (D, "c")), LineAdvance(AckLine(D), A, 3)),
        (AckLine(), Era((A, ""), (C, "b")), LineAdvance(AckLine(A), A, 0)),
        # Begun, it reports no beginning.
        (line(A), Era((A, "")), LineAdvance(line(A), None, 0)),
        (line(A), Era((A, ""), (B, "a")), LineAdvance(line(B), None, 1)),
        (line(A), Era((A, ""), (D, "a")), LineAdvance(line(D), None, 1)),
        # A message whose ``prev`` is unreadable follows by its seq, and is no link.
        (line(A), Era((B, None)), LineAdvance(line(B), None, 0)),
        (line(A), Era((B, None), (C, "b")), LineAdvance(line(C), None, 1)),
        (line(A), Era((C, None)), LineAdvance(line(A), None, 0)),
        (line(A), Era((D, None)), LineAdvance(line(A), None, 0)),
        # A link is preferred to a seq; one that leads back or nowhere is none.
        (line(A), Era((ChainLink((1, 2), "x"), None), (C, "a")), LineAdvance(line(C), None, 1)),
        (line(B), Era((A, "b")), LineAdvance(line(B), None, 0)),
        (line(B), Era((B, "b")), LineAdvance(line(B), None, 0)),
        # The largest ``old`` begins it; its ``prev`` does not matter.
        (AckLine(old=(1, 3)), Era((C, "b")), LineAdvance(AckLine(C, (1, 3)), C, 0)),
        (AckLine(old=(1, 3)), Era((A, ""), (C, "b")), LineAdvance(AckLine(C, (1, 3)), C, 0)),
        (AckLine(old=(1, 3)), Era((C, "b"), (D, "c")), LineAdvance(AckLine(D, (1, 3)), C, 1)),
        (AckLine(old=(1, 3)), Era((A, "")), LineAdvance(AckLine(A, (1, 3)), A, 0)),
        # Begun, it jumps to that message; a gap unless the two are linked.
        (line(A, (1, 3)), Era((C, "b")), LineAdvance(line(C, (1, 3)), None, 0, True)),
        (line(A, (1, 3)), Era((C, "b"), (D, "c")), LineAdvance(line(D, (1, 3)), None, 1, True)),
        (line(A, (1, 2)), Era((B, "a")), LineAdvance(line(B, (1, 2)), None, 1, False)),
        (line(A, (2, 1)), Era((D, "a")), LineAdvance(line(D, (2, 1)), None, 1, False)),
        # An ``old`` at or before the end, or that never came, moves nothing.
        (line(B, (1, 2)), Era((B, "a")), LineAdvance(line(B, (1, 2)), None, 0)),
        (line(C, (1, 2)), Era((B, "a"), (C, "b")), LineAdvance(line(C, (1, 2)), None, 0)),
        (line(A, (1, 3)), Era((A, "")), LineAdvance(line(A, (1, 3)), None, 0)),
    ],
)  # fmt: skip
def test_the_line_advances_by_links_by_seq_and_past_declared_gaps(
    before: AckLine, era: Era, advanced: LineAdvance
) -> None:
    found = advance(before, era)
    assert found == advanced
    assert type(found.gap) is bool


def test_a_line_restored_from_its_saved_columns_begins_as_a_new_one() -> None:
    columns: Any = [0, 0]
    nowhere = tuple(columns)  # equal to NOWHERE, and another object
    saved = AckLine(ChainLink(nowhere, ""), nowhere)
    assert not saved.begun
    assert advance(saved, Era()) == LineAdvance(AckLine(), None, 0)
    assert advance(saved, Era((A, ""))) == LineAdvance(AckLine(A), A, 0)
    assert AckLine(A).begun


@pytest.mark.parametrize(
    ("old", "by", "kept"),
    [
        (None, (3, 9), (2, 5)),
        ((2, 6), (2, 7), (2, 6)),
        ((2, 6), (2, 6), (2, 6)),  # this one: nothing older is on its flash
        ((2, 6), (2, 5), (2, 5)),  # above its own place: ignored
        ((3, 1), (2, 9), (2, 5)),
        ((2, 6), None, (2, 6)),  # its own place is unreadable
        ((2, 4), (2, 9), (2, 5)),
        ((1, 9), None, (2, 5)),
    ],
)
def test_only_a_larger_old_at_or_below_its_own_place_counts(
    old: Identity | None, by: Identity | None, kept: Identity
) -> None:
    assert line(A, (2, 5)).declared(old, by) == line(A, kept)


def test_the_same_old_again_changes_nothing() -> None:
    before = line(A, (2, 5))
    assert before.declared((2, 5), (2, 9)) is before


# The verdicts that depend on a single part of the key


ERA = "m4xq2lzt"
FIRST = MessageKey("d", b"1", (ERA, 1, 1), "", (1, 1), None)


def after(*messages: MessageKey) -> KnownInMemory:
    known = KnownInMemory()
    for message in messages:
        known.register(message)
    return known


@pytest.mark.parametrize(
    ("message", "verdict"),
    [
        (FIRST, Verdict("duplicate")),
        (FIRST._replace(hash=b"2"), Verdict("fork")),
        (FIRST._replace(hash=b"2", identity=None), Verdict("flagged")),
        (FIRST._replace(hash=b"2", identity=None, flag="json"), Verdict("flagged")),
        (FIRST._replace(hash=b"2", identity=(ERA, 1, 2)), Verdict("stored", True)),
        (FIRST._replace(hash=b"2", identity=(ERA, 1, 2), flag="json"), Verdict("flagged", True)),
        (FIRST._replace(hash=b"2", identity=(ERA, 1, 2), prev=None), Verdict("stored", True)),
        (FIRST._replace(hash=b"2", identity=("b" * 8, 1, 1), flag="json"),
         Verdict("flagged", True, True)),
        (FIRST._replace(hash=b"2", identity=("b" * 8, 1, 1)), Verdict("stored", True, True)),
    ],
)  # fmt: skip
def test_a_verdict_follows_from_identity_prev_and_flag(
    message: MessageKey, verdict: Verdict
) -> None:
    assert judge(message, after(FIRST)) == verdict
    assert verdict.is_newest == (verdict.name == "stored")


def test_two_unreadable_messages_with_one_prev_are_a_fork_without_a_new_era() -> None:
    unreadable = MessageKey("d", b"1", None, "p" * 22, None, "json")
    assert judge(unreadable._replace(hash=b"2"), after(unreadable)) == Verdict("fork")


def test_a_message_at_the_newest_place_again_is_late_only_where_it_is_lower() -> None:
    third = FIRST._replace(hash=b"3", identity=(ERA, 1, 3), prev="p" * 22)
    known = after(FIRST, third)
    assert judge(FIRST._replace(hash=b"2", identity=(ERA, 1, 2)), known) == Verdict("late", True)
    assert judge(FIRST._replace(hash=b"4", identity=(ERA, 1, 4)), known) == Verdict("stored", True)
    assert judge(FIRST._replace(hash=b"4", identity=(ERA, 2, 1)), known) == Verdict("stored", True)

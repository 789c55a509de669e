"""Each row of WIRE.md's table *What the gateway does with what arrives* that is past admission.

What admission refuses, the table's first row, is in ``test_admission``.
"""

import hashlib

import pytest

from gateway.domain.envelope import chain_hash_of
from gateway.domain.verdict import DUPLICATE, STORED, MessageKey, Verdict
from tests.unit.known_messages import KnownInMemory

ERA = "m4xq2lzt"


def key(
    text: str,
    boot: int = 1,
    seq: int = 1,
    prev: str | None = "",
    *,
    device: str = "k7f3q5",
    era: str = ERA,
    old: tuple[int, int] | None = (1, 1),
    flag: str | None = None,
) -> MessageKey:
    digest = hashlib.sha256(text.encode()).digest()
    return MessageKey(device, digest, (era, boot, seq), prev, old, flag)


def link(text: str) -> str:
    return chain_hash_of(hashlib.sha256(text.encode()).digest())


@pytest.fixture
def known() -> KnownInMemory:
    """A line of two messages: 1/1 and 1/2."""
    known = KnownInMemory()
    known.register(key("a"))
    known.register(key("b", seq=2, prev=link("a")))
    return known


def line_end(known: KnownInMemory, era: str = ERA) -> tuple[int, int]:
    return known.lines["k7f3q5", era].end.place


def test_the_next_message_is_stored_and_the_newest(known: KnownInMemory) -> None:
    verdict = known.register(key("c", seq=3, prev=link("b")))
    assert verdict == STORED
    assert verdict.is_newest
    assert line_end(known) == (1, 3)


def test_the_same_object_of_the_same_device_is_a_duplicate(known: KnownInMemory) -> None:
    assert known.register(key("a")) == DUPLICATE
    assert len(known.journaled) == 2
    assert line_end(known) == (1, 2)


def test_a_duplicate_of_a_fork_or_of_an_unreadable_message_is_one(known: KnownInMemory) -> None:
    unreadable = key("x", flag="json")._replace(identity=None, prev=None, old=None)
    for message in (key("twin", seq=2, prev=link("a")), unreadable):
        assert known.register(message) != DUPLICATE
        assert known.register(message) == DUPLICATE


def test_the_same_object_of_another_device_is_its_own(known: KnownInMemory) -> None:
    assert known.register(key("a", device="aaaaaa")) == Verdict("stored", True, True)


def test_one_identity_with_another_object_is_a_fork(known: KnownInMemory) -> None:
    verdict = known.register(key("twin", seq=2, prev=link("elsewhere")))
    assert verdict == Verdict("fork")
    assert not verdict.is_newest
    assert line_end(known) == (1, 2)


def test_a_second_message_with_one_prev_is_a_fork_at_any_place(known: KnownInMemory) -> None:
    assert known.register(key("other", seq=9, prev=link("a"))) == Verdict("fork")
    assert known.register(key("era", era="aaaaaaaa", prev=link("a"))) == Verdict(
        "fork", new_era=True
    )


def test_the_empty_prev_of_two_eras_is_no_fork(known: KnownInMemory) -> None:
    assert known.register(key("n", era="aaaaaaaa")).name == "stored"


def test_a_fork_takes_part_in_later_verdicts(known: KnownInMemory) -> None:
    known.register(key("twin", seq=2, prev=link("elsewhere")))
    assert known.register(key("third", seq=7, prev=link("elsewhere"))).name == "fork"


def test_a_flagged_fork_is_a_fork(known: KnownInMemory) -> None:
    assert known.register(key("twin", seq=2, prev=link("a"), flag="bad_field")).name == "fork"


def test_a_flagged_message_extends_the_line_and_is_never_newest(known: KnownInMemory) -> None:
    verdict = known.register(key("odd", seq=3, prev=link("b"), flag="bad_field"))
    assert verdict == Verdict("flagged", extends_line=True)
    assert not verdict.is_newest
    assert line_end(known) == (1, 3)
    assert known.newest("k7f3q5", ERA) == (1, 2)


def test_a_flagged_message_without_a_prev_extends_the_line_by_its_seq(
    known: KnownInMemory,
) -> None:
    known.register(key("odd", seq=3, prev=None, flag="prev_empty"))
    assert line_end(known) == (1, 3)


def test_without_an_identity_a_message_is_flagged_and_extends_nothing(
    known: KnownInMemory,
) -> None:
    unreadable = key("x", flag="json")._replace(identity=None, prev=None)
    assert known.register(unreadable) == Verdict("flagged")


def test_a_lower_place_never_seen_is_late_and_fills_the_line(known: KnownInMemory) -> None:
    assert known.register(key("d", seq=4, prev=link("c"))).name == "stored"
    assert line_end(known) == (1, 2)
    verdict = known.register(key("c", seq=3, prev=link("b")))
    assert verdict == Verdict("late", extends_line=True)
    assert line_end(known) == (1, 4)


def test_places_compare_by_boot_before_seq(known: KnownInMemory) -> None:
    assert known.register(key("e", boot=2, seq=1, prev=link("b"))).name == "stored"
    assert known.register(key("f", boot=1, seq=9, prev=link("c"))).name == "late"


def test_a_new_era_has_a_line_of_its_own(known: KnownInMemory) -> None:
    verdict = known.register(key("n", era="aaaaaaaa"))
    assert verdict == Verdict("stored", extends_line=True, new_era=True)
    assert line_end(known, "aaaaaaaa") == (1, 1)
    assert line_end(known) == (1, 2)
    assert known.register(key("o", 1, 2, link("n"), era="aaaaaaaa")) == STORED


def test_an_era_whose_messages_are_all_flagged_is_not_new(known: KnownInMemory) -> None:
    first = known.register(key("n", era="aaaaaaaa", flag="time_source"))
    assert first == Verdict("flagged", extends_line=True, new_era=True)
    assert known.register(key("o", 1, 2, link("n"), era="aaaaaaaa")) == STORED

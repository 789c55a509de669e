"""The line, against an oracle that looks at everything each time, in any order of arrival."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.chain import NOWHERE, AckLine, ChainLink, Identity, advance


@dataclass(frozen=True)
class Sent:
    place: Identity
    h: str
    prev: str | None  # None: cannot be read
    old: Identity


class Shelf:
    """What arrived, in a list: the slow and plain way to hold an era."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []

    def first(self) -> ChainLink | None:
        return self.at((1, 1))

    def at(self, place: Identity) -> ChainLink | None:
        return self._one(lambda s: s.place == place)

    def after(self, h: str) -> ChainLink | None:
        return self._one(lambda s: s.prev == h)

    def unlinked(self, place: Identity) -> ChainLink | None:
        return self._one(lambda s: s.place == place and s.prev is None)

    def _one(self, fits) -> ChainLink | None:  # type: ignore[no-untyped-def]
        found = [s for s in self.sent if fits(s)]
        return ChainLink(found[0].place, found[0].h) if found else None


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Sent], list[int]]:
    """What a node sealed over some boots, and the order in which it arrives, with gaps."""
    sealed: list[Sent] = []
    oldest = 0
    places = [(b, s + 1) for b, n in enumerate(draw(st.lists(st.integers(1, 4), min_size=1,
              max_size=4)), 1) for s in range(n)]  # fmt: skip
    for index, place in enumerate(places):
        oldest = draw(st.integers(oldest, index)) if draw(st.integers(0, 3)) == 0 else oldest
        prev = "" if index == 0 else f"h{index - 1}"
        unreadable = draw(st.integers(0, 9)) == 0
        sealed.append(Sent(place, f"h{index}", None if unreadable else prev, places[oldest]))
    arriving = draw(st.lists(st.integers(0, len(sealed) - 1), max_size=2 * len(sealed)))
    return sealed, arriving


def reachable(sealed: list[Sent], held: set[int], start: int) -> int:
    """The last index that an unbroken line from ``start`` reaches."""
    while start + 1 in held:
        before, after = sealed[start], sealed[start + 1]
        same_boot = before.place[0] == after.place[0]
        if after.prev is None and not same_boot:
            break  # by seq only, and a boot's first follows no seq
        start += 1
    return start


@given(stories())
def test_in_any_order_of_arrival_the_line_equals_the_reference(
    story: tuple[list[Sent], list[int]],
) -> None:
    sealed, arriving = story
    shelf, line, held, expected = Shelf(), AckLine(), set[int](), -1
    largest = NOWHERE
    places = [s.place for s in sealed]
    for index in arriving:
        sent = sealed[index]
        if index in held:
            continue  # a duplicate is not journaled again
        held.add(index)
        shelf.sent.append(sent)
        before = line.end.place
        line = advance(line.declared(sent.old, sent.place), shelf).line
        largest = max(largest, sent.old)
        begin = places.index(largest)
        if begin in held and begin > expected:
            expected = begin
        elif expected < 0 and 0 in held:
            expected = 0
        if expected >= 0:
            expected = reachable(sealed, held, expected)
        assert line.end.place == (places[expected] if expected >= 0 else NOWHERE)
        assert line.end.place >= before, "acks never go back"
        if line.begun:
            assert places.index(line.end.place) in held


def test_before_it_has_begun_it_frees_nothing() -> None:
    shelf = Shelf()
    shelf.sent.append(Sent((1, 2), "h1", "h0", (1, 1)))
    line = advance(AckLine().declared((1, 1), (1, 2)), shelf).line
    assert (line.begun, line.end) == (False, ChainLink((0, 0), ""))


def test_an_old_above_its_own_identity_is_ignored() -> None:
    assert AckLine().declared((2, 9), (2, 8)).old == NOWHERE
    assert AckLine().declared((2, 8), (2, 8)).old == (2, 8)


def test_a_link_that_leads_back_is_not_followed() -> None:
    shelf = Shelf()
    shelf.sent += [Sent((1, 1), "a", "", (1, 1)), Sent((1, 2), "b", "a", (1, 1))]
    shelf.sent.append(Sent((1, 1), "c", "b", (1, 1)))
    assert advance(AckLine(), shelf).line.end == ChainLink((1, 2), "b")

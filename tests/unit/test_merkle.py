"""The Merkle log against the recursive definition of RFC 6962, section 2.1."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import merkle
from gateway.domain.merkle import Frontier


def naive(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 defines it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = naive(leaves[:split]), naive(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@given(st.lists(st.binary(max_size=4), max_size=70))
def test_the_frontier_grows_to_the_defined_root(leaves: list[bytes]) -> None:
    frontier = Frontier()
    for leaf in leaves:
        frontier = frontier.grown(merkle.leaf_hash(leaf))
    assert frontier.root() == naive(leaves)
    assert Frontier.from_bytes(frontier.size, frontier.to_bytes()) == frontier


def test_the_roots_of_the_reference_leaves_of_certificate_transparency() -> None:
    # From the reference tests of certificate-transparency.
    leaves = [bytes.fromhex(t) for t in ("", "00", "10", "2021", "3031", "40414243")]
    roots = {
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    }
    for size, root in roots.items():
        assert merkle.root([merkle.leaf_hash(leaf) for leaf in leaves[:size]]).hex() == root


@pytest.mark.parametrize("nodes", [0, 1, 8, 9, 20, 63])
def test_a_frontier_of_any_number_of_nodes_is_read_as_it_was_written(nodes: int) -> None:
    raw = bytes(range(nodes)) * 32
    frontier = Frontier.from_bytes(2**nodes - 1, raw)
    assert (frontier.size, len(frontier.nodes), frontier.to_bytes()) == (2**nodes - 1, nodes, raw)


def test_a_frontier_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="frontier of 3 leaves"):
        Frontier.from_bytes(3, bytes(32))


@given(st.integers(1, 12), st.data())
def test_a_proof_holds_for_its_leaf_index_and_size_and_for_nothing_else(
    size: int, data: st.DataObject
) -> None:
    hashes = [merkle.leaf_hash(bytes([number])) for number in range(size)]
    index = data.draw(st.integers(0, size - 1))
    path, root = merkle.inclusion(hashes, index), merkle.root(hashes)
    places = [
        (other, of) for of in range(1, 2 * size + 2) for other in range(-1, of + 1)
        if merkle.is_included(hashes[index], other, of, path, root)
    ]  # fmt: skip
    assert (index, size) in places
    # RFC 9162: a proof fixes the shape of the path, so only equal shapes can pass.
    assert all(len(merkle.inclusion(range_of(of), other)) == len(path) for other, of in places)
    assert {other for other, of in places if of == size} == {index}
    assert not merkle.is_included(merkle.leaf_hash(b"other"), index, size, path, root)
    assert not merkle.is_included(hashes[index], index, size, [*path, root], root)
    if path:
        assert not merkle.is_included(hashes[index], index, size, path[:-1], root)
        assert not merkle.is_included(hashes[index], index, size, [*path[::-1], root], root)


def range_of(size: int) -> list[bytes]:
    """So many different leaf hashes."""
    return [merkle.leaf_hash(number.to_bytes(2, "big")) for number in range(size)]


@pytest.mark.parametrize(
    ("index", "size", "holds"),
    [(2, 5, True), (2, 4, False), (2, 9, False), (1, 5, False), (5, 5, False), (-1, 5, False)],
)
def test_a_proof_of_the_wrong_size_or_place_fails(index: int, size: int, holds: bool) -> None:
    hashes = range_of(5)
    path = merkle.inclusion(hashes, 2)
    assert merkle.is_included(hashes[2], index, size, path, merkle.root(hashes)) is holds


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (0, ["1", "23", "4567"]), (1, ["0", "23", "4567"]), (2, ["3", "01", "4567"]),
        (5, ["4", "67", "0123"]), (7, ["6", "45", "0123"]),
    ],
)  # fmt: skip
def test_a_proof_lists_the_sibling_subtrees_from_leaf_to_root(
    index: int, expected: list[str]
) -> None:
    hashes = range_of(8)
    subtrees = [merkle.root([hashes[int(digit)] for digit in group]) for group in expected]
    assert merkle.inclusion(hashes, index) == subtrees


@pytest.mark.parametrize("index", [-1, 3])
def test_a_leaf_outside_the_tree_has_no_proof(index: int) -> None:
    with pytest.raises(IndexError, match=f"no leaf {index} among 3"):
        merkle.inclusion(range_of(3), index)

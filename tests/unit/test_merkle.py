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
        assert (
            Frontier().grown(*(merkle.leaf_hash(leaf) for leaf in leaves[:size])).root().hex()
            == root
        )


def test_a_frontier_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="frontier of 3 leaves"):
        Frontier.from_bytes(3, bytes(32))

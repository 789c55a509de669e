"""RFC 6962 Merkle tree: leaf and node hashes, and a frontier that grows leaf by leaf."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

HASH_BYTES = 32


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf): RFC 6962, section 2.1."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right): RFC 6962, section 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """What a growing tree must keep: the roots of its full subtrees, largest first.

    Subtree sizes are the set bits of ``size``, so there are at most 63 of them.
    """

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    def grown(self, *leaves: bytes) -> "Frontier":
        """The frontier after more leaves, given as leaf hashes."""
        nodes, size = list(self.nodes), self.size
        for node in leaves:
            carry = size
            while carry & 1:
                node = node_hash(nodes.pop(), node)  # noqa: PLW2901 - moves up the tree
                carry >>= 1
            nodes.append(node)
            size += 1
        return Frontier(size, tuple(nodes))

    def root(self) -> bytes:
        """The tree's root hash; of the empty tree, SHA-256 of nothing."""
        if not self.nodes:
            return hashlib.sha256(b"").digest()
        root = self.nodes[-1]
        for node in reversed(self.nodes[:-1]):
            root = node_hash(node, root)
        return root

    def to_bytes(self) -> bytes:
        """The nodes, concatenated; ``size`` is saved separately."""
        return b"".join(self.nodes)

    @classmethod
    def from_bytes(cls, size: int, raw: bytes) -> "Frontier":
        """Inverse of ``to_bytes``. Raises ValueError where the length does not fit ``size``."""
        if len(raw) != HASH_BYTES * size.bit_count():
            raise ValueError(f"{len(raw)} bytes are not the frontier of {size} leaves")
        cuts = range(0, len(raw), HASH_BYTES)
        return cls(size, tuple(raw[i : i + HASH_BYTES] for i in cuts))


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    return Frontier().grown(*leaves).root()


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The inclusion proof of leaf ``index`` over leaf hashes, nearest first (RFC 6962, 2.1.1).

    Raises IndexError when there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"no leaf {index} among {len(leaves)}")
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1  # the largest power of two below
    if index < split:
        return [*inclusion(leaves[:split], index), root(leaves[split:])]
    return [*inclusion(leaves[split:], index - split), root(leaves[:split])]


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """Whether ``path`` proves that ``leaf`` is at ``index`` of ``size`` under root ``expected``.

    The algorithm of RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    node, last, here = leaf, size - 1, index
    for sibling in path:
        if last == 0:
            return False
        if here & 1 or here == last:
            node = node_hash(sibling, node)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and node == expected

"""RFC 6962 Merkle tree: leaf and node hashes, and a frontier that grows leaf by leaf."""

import hashlib
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

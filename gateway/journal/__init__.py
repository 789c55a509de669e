"""The journal: append-only entries, each a leaf of the Merkle log; all else derives from it."""

"""The journal: the one truth. Append-only entries, each a leaf of the Merkle log."""

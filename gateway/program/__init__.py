"""Composition roots: what runs on which thread, for one gateway and for several."""

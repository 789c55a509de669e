"""Projections: what is made from the journal, each with its own cursor and thread."""

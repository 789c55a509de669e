"""Measures how well the watch judges, on simulated stories with known truth."""

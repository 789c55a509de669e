"""The node itself, pure: handed its board, its flash, its clock and its client."""

FW = "0.1.0"
"""Firmware build, at most 24 characters: ``fw`` of every message."""

BUILT = 1_795_564_800
"""2026-11-25, Unix s: no certificate is looked at by an earlier clock."""

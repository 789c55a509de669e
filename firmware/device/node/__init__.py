"""The node: board, flash, clock and client are passed in; it touches no hardware."""

FW = "0.1.0"
"""Firmware build, at most 24 characters: ``fw`` of every message."""

"""The node itself, pure: handed its board, its flash, its clock and its client."""

FW = "0.1.0"
"""Firmware build, at most 24 characters: ``fw`` of every message."""

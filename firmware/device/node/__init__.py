"""The node itself, pure: handed its board, its flash, its clock and its client."""

import sys

FW = "0.1.0"
"""Firmware build, at most 24 characters: ``fw`` of every message."""

BUILT = 1_795_564_800
"""2026-11-25, Unix s: no certificate is looked at by an earlier clock."""


def unload(*names):
    """Forget modules, by full name: once nothing made by them is held, their heap is free again."""
    for name in names:
        sys.modules.pop(name, None)
        folder, leaf = name.split(".")
        package = sys.modules.get(folder)
        if hasattr(package, leaf):
            delattr(package, leaf)

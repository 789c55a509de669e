"""MQTT, links, JSON and signatures: nothing here knows the node."""

import sys

ED25519 = "lib.ed25519", "lib.sha512", "lib.verification"
"""Modules to unload after signing or verifying."""


def unload(*names):
    """Drop modules, and packages with all that is in them, by full name: their heap is free once
    no object of theirs is in use."""
    for name in names:
        inside = name + "."
        for loaded in [found for found in sys.modules if found == name or found.startswith(inside)]:
            del sys.modules[loaded]
        folder, _, leaf = name.rpartition(".")
        package = sys.modules.get(folder)
        if hasattr(package, leaf):
            delattr(package, leaf)

"""First thing the board runs: the watchdog, before anything that could hang."""

import gc

import machine

WATCHDOG_MS = 120_000
"""Longer than the longest honest wake; a hang costs two minutes of battery, not all of it."""

machine.WDT(timeout=WATCHDOG_MS)

# Collected often, what stays lies close together: the compiler's and the ring's buffers need room
# in one piece.
gc.threshold(16384)

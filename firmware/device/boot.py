"""The board runs this first: it starts the watchdog before anything can hang."""

import gc

import machine

WATCHDOG_MS = 120_000
"""Longer than the longest normal wake; a hang costs two minutes of charge, not all of it."""

machine.WDT(timeout=WATCHDOG_MS)

# Frequent collections keep the heap compact: the compiler and the ring need contiguous buffers.
gc.threshold(16384)

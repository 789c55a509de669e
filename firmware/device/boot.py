"""First thing the board runs: the watchdog, before anything that could hang."""

import machine

WATCHDOG_MS = 120_000
"""Longer than the longest honest wake; a hang costs two minutes of battery, not all of it."""

machine.WDT(timeout=WATCHDOG_MS)

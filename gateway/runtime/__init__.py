"""Threads and what they share: clock, logs, workers, wakeups, file lock."""

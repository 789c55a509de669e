"""What every thread needs: clock, logs, workers, wake-ups, file lock."""

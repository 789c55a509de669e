"""A pin that an accelerometer holds high while something goes on, and how to confirm it."""

import time

TILT_DEG = 20  # the accelerometer's own threshold for its tilt pin
CONFIRM_MS = 5000  # DESIGN.md, *Presence and cause*
_QUIET_MS = 1500  # nothing for so long ends it: one bump is one quiet event
_POLL_MS = 20


class LevelPin:
    """An input, high while active."""

    def __init__(self, pin):
        self.pin = pin

    def active(self):
        """Whether it is high now."""
        return bool(self.pin.value())


def watch(pins, span_ms=CONFIRM_MS):
    """Watch ``pins`` for ``span_ms``: (confirmed, ms from the first to the last activity).

    Ends early, unconfirmed, once all have been quiet for 1.5 s.
    """
    start = time.ticks_ms()
    last = 0
    while True:
        now = time.ticks_diff(time.ticks_ms(), start)
        if any(pin.active() for pin in pins):
            last = now
        if now >= span_ms:
            return True, last
        if now - last >= _QUIET_MS:
            return False, last
        time.sleep_ms(_POLL_MS)

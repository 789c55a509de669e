"""One episode of handling: motion, tilt, lid, a fast fall, a broken promise."""

from dataclasses import dataclass


@dataclass(slots=True)
class Fall:
    """A level that fell in one go, from ``at`` to ``until`` (Unix s).

    ``lpm``: the fastest part for certain, noise taken off; ``taps_ratio``: how many times faster
    than all taps open could drain that part; ``single_step``: it fell between two readings, and may
    have been faster than that; ``plateau``: it stopped above the tap and stayed;
    ``emptied``: nothing to draw is left.
    """

    at: float
    until: float
    from_l: float
    to_l: float
    lpm: float
    taps_ratio: float
    single_step: bool
    plateau: bool
    emptied: bool


@dataclass(slots=True)
class Episode:
    """Evidence gathered since ``at``; times are event times in Unix s."""

    at: float
    last_at: float
    device: str
    before_l: float | None = None
    late: bool = False  # learned long after it happened
    motion_ms: int = 0
    motion_mg: int = 0
    tilt_deg: int = 0
    still_at: float | None = None
    lid_at: float | None = None  # open since
    lid_stayed: bool = False
    fall: Fall | None = None
    fall_told: bool = False
    silent_since: float | None = None  # its last word before it broke its promise
    promised_s: int = 0
    spoke_at: float | None = None  # spoke normally, well after the last evidence
    moved_told: bool = False
    witnessed: str = ""  # what a person said: moved_by_us, seen_there, close

    @property
    def calm(self) -> bool:
        """Whether it has spoken on as usual since."""
        return self.spoke_at is not None

"""One episode of handling: motion, tilt, lid, a fast fall, a broken promise."""

from dataclasses import dataclass

_RUN_S = 300.0  # knocks nearer than this to one another are one run
_KEPT_RUNS = 12


@dataclass(slots=True)
class Fall:
    """A level that fell faster than usual, from ``at`` to ``until`` (Unix s).

    ``lpm``: the fastest part, reduced by the noise; ``taps_ratio``: that rate over the rate of all
    open taps; ``single_step``: it fell between two readings, so it may have been faster;
    ``plateau``: it stopped above the tap and stayed there; ``emptied``: it ended at the tap;
    ``decays``: it became slower, as water through one hole does; ``use_ratio``: the loss over the
    largest draw in as many hours, None when too little use is known; ``slowing``: by how much the
    rate fell from the first half to the second, over what water through a hole at the bottom does;
    None when it was too short.
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
    decays: bool = False
    use_ratio: float | None = None
    slowing: float | None = None
    step_s: float = 0.0  # between the readings around its first part
    later: int = 0  # samples since it ended
    is_rough: bool = False  # the sensor's echoes or readings disagreed meanwhile
    undoes_rise: bool = False  # it ended where the level had been shortly before
    was_frozen: bool = False  # the sensor had repeated one value until this fall
    usual_l: float | None = None  # that people draw in these hours; None before that is known
    improbable: float = 0.0  # as their use: minus the natural logarithm of its probability
    neighbours_fell: int = 0  # tanks of the site that fell at the same time
    neighbours_steady: int = 0


@dataclass(slots=True)
class Episode:
    """Evidence gathered since ``at``; times are event times in Unix s.

    ``motion_at`` and ``tilt_at`` are of the first of each.
    """

    at: float
    last_at: float
    device: str
    before_l: float | None = None
    late: bool = False  # the evidence arrived long after its event time
    motion_at: float | None = None
    motion_ms: int = 0
    motion_mg: int = 0
    strong_ms: int = 0  # of motion that is stronger than wind's
    tilt_at: float | None = None
    tilt_deg: int = 0
    still_at: float | None = None
    lid_at: float | None = None  # open since
    lid_stayed: bool = False
    lid_as: str = "stayed"  # the level of evidence of a lid that stayed open
    water_rose: bool = False  # in some reading since the lid was opened
    fall: Fall | None = None
    loss_reported: bool = False
    silent_since: float | None = None  # its last message before it broke its promise
    promised_s: int = 0
    resumed_at: float | None = None  # first normal message well after the last evidence
    reviewed_at: float | None = None
    motion_reported: bool = False
    operator_action: str = ""  # moved_by_us, seen_there or close
    acted_at: float | None = None  # when that person acted

    @property
    def has_resumed(self) -> bool:
        """Whether the device has sent normal messages since."""
        return self.resumed_at is not None


def extend(fall: Fall, before: Fall) -> None:
    """Merge with the earlier part of the same fall: its beginning and the fastest rate.

    Unless a reading that came late, from within the first step, shows that it began later.
    """
    if not before.at < fall.at < before.at + before.step_s:
        fall.at, fall.from_l = before.at, before.from_l
    fall.lpm = max(fall.lpm, before.lpm)
    fall.taps_ratio = max(fall.taps_ratio, before.taps_ratio)
    if before.use_ratio is not None:  # the hours since contain the loss itself
        fall.use_ratio = before.use_ratio * _lph(fall) / _lph(before)
    else:
        fall.use_ratio = None
    fall.improbable = max(fall.improbable, before.improbable)
    fall.is_rough |= before.is_rough
    fall.undoes_rise |= before.undoes_rise
    fall.was_frozen |= before.was_frozen
    fall.neighbours_fell = before.neighbours_fell  # whose samples of then may be gone


def _lph(fall: Fall) -> float:
    """Litres an hour; what falls within an hour counts as its loss."""
    return (fall.from_l - fall.to_l) / max((fall.until - fall.at) / 3600, 1.0)


def note_knock(runs: list[list[float]], at: float) -> None:
    """Add a knock at ``at`` (Unix s) to the runs of knocks, [from, to]; the newest are kept."""
    near = [run for run in runs if run[0] - _RUN_S <= at <= run[1] + _RUN_S]
    rest = [run for run in runs if run not in near]
    begun, ended = min([at, *(r[0] for r in near)]), max([at, *(r[1] for r in near)])
    runs[:] = sorted([*rest, [begun, ended]])[-_KEPT_RUNS:]


def was_knocked(runs: list[list[float]], start: float, end: float) -> bool:
    """Whether some run of knocks overlaps the span from ``start`` to ``end``, both included."""
    return any(begun <= end and start <= ended for begun, ended in runs)

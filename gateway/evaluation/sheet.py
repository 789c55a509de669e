"""The score sheet of one story; sheets of many stories are summed by joining their lists."""

from dataclasses import dataclass, field, fields

from gateway.domain.outputs import WATER_KINDS, IncidentChange
from gateway.evaluation.catalog import SimulatedStory
from gateway.evaluation.decisions import Decision, decisions_of
from gateway.evaluation.matching import MatchedIncident, is_theft, match
from gateway.evaluation.outlook import ForecastPoint, forecasts_of
from gateway.evaluation.trial import Trial
from gateway.evaluation.truth import DAY_S, HOUR_S, NOTHING, TrueCause, Truth
from gateway.evaluation.water import Balance, balance, refills_of

_MARGIN_PART = 0.02
_RECOVERY_S = 90.0  # two readings within this: the node reports each 30 s


@dataclass(frozen=True, slots=True)
class Guess:
    """A true cause, and what the watch called it: at opening and after the story.

    ``kind`` is the label of the truth; ``expects`` whether some incident is right.
    """

    story: str
    label: str
    accepts: tuple[str, ...]
    first: str
    last: str
    is_theft: bool

    @property
    def is_right(self) -> bool:
        """Whether the first guess is one that the truth accepts."""
        return self.first in self.accepts


@dataclass(frozen=True, slots=True)
class Detection:
    """A true theft: whether it was found, how long that took, and how wrong its beginning is.

    ``wait_s`` counts from the first message that was received of the time after the theft began;
    ``readings`` are those taken from its beginning on and received by then. ``is_recovering``:
    the node began recovery mode with it.
    """

    story: str
    kind: str
    is_found: bool
    delay_s: float | None = None
    onset_error_s: float | None = None
    wait_s: float | None = None
    readings: int | None = None
    is_recovering: bool = False


@dataclass(frozen=True, slots=True)
class Belief:
    """A probability reported at opening, and whether its kind was right. ``story``: its kind."""

    probability: float
    is_right: bool
    is_theft_kind: bool
    kind: str = ""
    story: str = ""


@dataclass(slots=True)
class Sheet:
    """What is counted in one story, or in many.

    ``lookalikes_by_kind``: stories called theft, all of them. ``called``: by theft kind, incidents
    that a theft explains, all of them. ``alarms``: by kind, incidents of ordinary life that
    nothing explains. ``mistakes``: (story, Unix s, sentence).
    """

    stories: int = 0
    readings: int = 0
    cpu_s: float = 0.0
    ordinary_days: float = 0.0  # tank-days of ordinary life
    ordinary_false_thefts: int = 0
    other_false_thefts: int = 0
    true_theft_incidents: int = 0
    lookalikes: int = 0
    lookalikes_called_theft: int = 0
    false_lows: int = 0
    false_faults: int = 0
    unusable: int = 0
    lookalikes_by_kind: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    called: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    alarms: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    refills: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    observable_refills: list[tuple[int, int, int]] = field(
        default_factory=list[tuple[int, int, int]]
    )
    refill_errors: list[float] = field(default_factory=list[float])
    balances: list[Balance] = field(default_factory=list[Balance])
    forecasts: list[ForecastPoint] = field(default_factory=list[ForecastPoint])
    guesses: list[Guess] = field(default_factory=list[Guess])
    detections: list[Detection] = field(default_factory=list[Detection])
    beliefs: list[Belief] = field(default_factory=list[Belief])
    decisions: list[Decision] = field(default_factory=list[Decision])
    mistakes: list[tuple[str, float, str]] = field(default_factory=list[tuple[str, float, str]])

    def add(self, other: "Sheet") -> None:
        """Add the counts of another sheet."""
        for name in (f.name for f in fields(self)):
            if name not in _BY_NAME:
                setattr(self, name, getattr(self, name) + getattr(other, name))
        self.lookalikes_by_kind = _sum(self.lookalikes_by_kind, other.lookalikes_by_kind)
        self.called = _sum(self.called, other.called)
        self.alarms = _sum(self.alarms, other.alarms)


_BY_NAME = ("lookalikes_by_kind", "called", "alarms")


def _sum(
    one: dict[str, list[int]], other: dict[str, list[int]]
) -> dict[str, list[int]]:  # fmt: skip
    """Counts by name, added."""
    return {
        name: [a + b for a, b in zip(one.get(name, none), other.get(name, none), strict=True)]
        for name in sorted({*one, *other})
        for none in ([0] * len(one.get(name) or other[name]),)
    }


def score(story: SimulatedStory, trial: Trial) -> Sheet:
    """Compare the outputs of a story with its truth."""
    sheet = Sheet(stories=1, readings=trial.readings, cpu_s=trial.cpu_s)
    sheet.unusable = sum(trial.unusable.values())
    truth = story.truth
    matched = match(truth.causes, trial.changes)
    sheet.decisions = decisions_of(story, matched)
    _count_thefts(sheet, story, matched)
    _count_guesses(sheet, story, matched)
    sheet.beliefs = [
        Belief(m.first.probability, _is_as_reported(truth, m), m.theft is m.first, m.kind,
               story.kind.name)
        for m in matched
    ]  # fmt: skip
    if story.kind.group == "ordinary":
        sheet.ordinary_days = len(truth.levels) * (truth.end - truth.start) / DAY_S
        _count_alerts(sheet, story, trial, matched)
    if story.kind.group == "ordinary" or story.kind.name in _WATER_STORIES:
        _count_water(sheet, story, trial)
    return sheet


def _is_as_reported(truth: Truth, one: MatchedIncident) -> bool:
    """Whether what the probability is about is true.

    That of a theft kind is about theft or not; which kind of theft is the second question. That
    of a silence is about the node and not its network; that of a blocked way about the way and
    not a refill that nobody brought.
    """
    if one.theft is one.first:
        return is_theft(one.cause)
    if one.kind == "silent":
        at = one.first.at
        outages = [c for c in truth.causes if c.uplink and c.at - HOUR_S <= at <= c.until]
        return one.is_right and not outages
    if one.kind == "access_blocked":
        return one.cause is not None and one.cause.kind == "access_blocked"
    return one.is_right


_WATER_STORIES = ("small_deliveries", "slow_pump", "feast", "hidden_refill")


def _count_thefts(
    sheet: Sheet, story: SimulatedStory, matched: list[MatchedIncident]
) -> None:  # fmt: skip
    called = [m for m in matched if m.theft is not None]
    false = [m for m in called if not is_theft(m.cause)]
    sheet.true_theft_incidents = len(called) - len(false)
    if story.kind.group == "ordinary":
        sheet.ordinary_false_thefts = len(false)
    else:
        sheet.other_false_thefts = len(false)
    for one in called:
        kind = (one.theft or one.first).kind
        sheet.called = _sum(sheet.called, {kind: [int(is_theft(one.cause)), 1]})
    for one in false:
        theft = one.theft or one.first
        what = f"{theft.kind} of {theft.tank} at {theft.probability:.2f}"
        why = ", ".join(b.term for b in theft.because)
        note = f" during {one.cause.note or one.cause.kind}" if one.cause else ""
        sheet.mistakes.append((story.name, theft.received, f"false {what}{note}: {why}"))
    if story.kind.group == "lookalike":
        sheet.lookalikes = 1
        sheet.lookalikes_called_theft = int(bool(called))
        sheet.lookalikes_by_kind = {story.kind.name: [int(bool(called)), 1]}
    for cause in story.truth.causes:
        if is_theft(cause):
            sheet.detections.append(_detection(sheet, story, cause, called))


def _detection(
    sheet: Sheet, story: SimulatedStory, cause: TrueCause, called: list[MatchedIncident]
) -> Detection:
    found = [m.theft for m in called if m.cause is cause and m.theft is not None]
    if not found:
        what = f"missed {cause.kind} of {cause.tank} ({cause.note})"
        sheet.mistakes.append((story.name, cause.at, what))
        return Detection(story.name, cause.kind, is_found=False)
    first = min(found, key=lambda change: change.received)
    known = story.truth.first_known(cause.tank or "", cause.at)
    wait_s = None if known is None else max(first.received - known, 0.0)
    delay_s, error_s = first.received - cause.at, abs(first.at - cause.at)
    until = max(first.received, cause.at + _RECOVERY_S)
    taken = story.truth.taken(cause.tank or "", cause.at, until)
    readings = sum(received <= first.received for _, received in taken)
    is_recovering = sum(at <= cause.at + _RECOVERY_S for at, _ in taken) > 1
    return Detection(
        story.name, cause.kind, True, delay_s, error_s, wait_s, readings, is_recovering
    )


def _count_guesses(
    sheet: Sheet, story: SimulatedStory, matched: list[MatchedIncident]
) -> None:  # fmt: skip
    """Thefts everywhere; the labelled causes of look-alike stories."""
    for cause in story.truth.causes:
        theft = is_theft(cause)
        is_background = cause.kind == NOTHING and not cause.note
        if story.kind.group == "ordinary" or is_background:
            continue
        if not theft and story.kind.group != "lookalike":
            continue
        own = [m for m in matched if m.cause is cause]
        first = own[0].kind if own else NOTHING
        last = own[0].last_kind if own else NOTHING
        label = cause.kind if cause.kind != NOTHING else cause.note
        guess = Guess(story.name, label, cause.accepts, first, last, theft)
        sheet.guesses.append(guess)
        if not guess.is_right and not (theft and first == NOTHING):
            text = f"{label} of {cause.tank or cause.uplink} called {first}, then {last}"
            sheet.mistakes.append((story.name, cause.at, text))


def _count_alerts(
    sheet: Sheet, story: SimulatedStory, trial: Trial, matched: list[MatchedIncident]
) -> None:
    truth = story.truth
    for change in trial.changes:
        is_alert = change.kind in WATER_KINDS and change.alert and change.change != "closed"
        if is_alert and _is_false_low(story, change):
            sheet.false_lows += 1
            text = f"false {change.kind} of {change.tank}"
            sheet.mistakes.append((story.name, change.received, text))
    for one in matched:
        if not one.is_right:
            sheet.alarms = _sum(sheet.alarms, {one.kind: [1]})
        if one.kind == "sensor_fault" and not _in_fault(truth, one.first):
            sheet.false_faults += 1
            text = f"false sensor_fault of {one.first.tank}"
            sheet.mistakes.append((story.name, one.first.received, text))


def _is_false_low(story: SimulatedStory, change: IncidentChange) -> bool:
    """Whether the tank had clearly more water than the threshold for hours."""
    tank = story.registry.tank(change.tank or "")
    if tank is None:
        return True
    limit = {
        "low": tank.capacity_l * tank.low_pct / 100,
        "critical": tank.capacity_l * tank.critical_pct / 100,
        "empty": tank.empty_l,
    }[change.kind]
    levels = story.truth.levels.get(tank.id, [])
    near = [x[1] for x in levels if change.received - 3 * HOUR_S <= x[0] <= change.received]
    return bool(near) and min(near) > limit + _MARGIN_PART * tank.capacity_l + 10


def _in_fault(truth: Truth, change: IncidentChange) -> bool:
    return any(
        f.tank == change.tank and f.at - HOUR_S <= change.received <= f.until + HOUR_S
        for f in truth.faults
    )


def _count_water(sheet: Sheet, story: SimulatedStory, trial: Trial) -> None:
    truth = story.truth
    disturbed = {c.tank for c in truth.causes if c.kind not in (NOTHING, "access_blocked")}
    for tank, rows in story.registry.tanks.items():
        capacity = rows[-1].capacity_l
        found = refills_of(tank, truth, trial, capacity)
        sheet.refills.append((found.found, found.missed, found.false))
        shown = refills_of(tank, truth, trial, capacity, observable=True)
        sheet.observable_refills.append((shown.found, shown.missed, shown.false))
        sheet.refill_errors += found.litres_errors
        sheet.mistakes += [(story.name, at, f"{text} in {tank}") for at, text in found.mistakes]
        if story.kind.group == "ordinary":
            sheet.forecasts += forecasts_of(tank, truth, trial.forecasts)
        if tank not in disturbed and (sums := balance(tank, truth, trial)) is not None:
            sheet.balances.append(sums)

"""What weights are fitted to: every episode that the watch reviewed, with the truth beside it.

Also episodes that opened no incident: evidence of ordinary life is what a theft stands out from.
"""

import multiprocessing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gateway.domain.outputs import THEFT_KINDS
from gateway.domain.watch.tracks.cause import Review
from gateway.domain.watch.tracks.weights import log_odds
from gateway.evaluation import trial
from gateway.evaluation.assumed import ASSUMED, FIXED
from gateway.evaluation.catalog import Group, make
from gateway.evaluation.plan import StoryName
from gateway.evaluation.sheet import score
from gateway.evaluation.truth import TrueCause

_NEAR_S = 900.0
_BEGINNINGS = ("motion.", "tilt.", "fall_rate.", "lid.stayed")
"""Levels that begin a suspicion; a lid that was opened is everyday life."""

Evidence = tuple[tuple[str, ...], float]
"""Levels of one review, and the log-odds of theft of its other terms."""


@dataclass(frozen=True, slots=True)
class EpisodeSample:
    """One episode: its true theft kind, or empty, and its different reviews in their order."""

    group: Group
    theft: str
    reviews: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class CalibrationSample:
    """One incident of another kind at opening: its log-odds as weighed, and whether it is right."""

    group: Group
    kind: str
    odds: float
    is_right: bool


@dataclass(slots=True)
class Samples:
    """Those of many stories. ``tank_years``: of ordinary life; ``stories``: of all other kinds."""

    tank_years: float = 0.0
    stories: dict[str, int] = field(default_factory=dict[str, int])
    episodes: list[EpisodeSample] = field(default_factory=list[EpisodeSample])
    calibration: list[CalibrationSample] = field(default_factory=list[CalibrationSample])


def samples_of(name: StoryName) -> Samples:
    """The samples of one story, judged with the assumed weights, so that no fit shapes the next."""
    story, reviews = make(*name), list[Review]()
    sheet = score(story, trial.run(story.registry, story.lines, ASSUMED, reviews.append))
    group = story.kind.group
    found = Samples(tank_years=sheet.ordinary_days / 365.25)
    if group != "ordinary":
        found.stories = {story.kind.name: 1}
    found.episodes = episodes_of(group, reviews, story.truth.causes)
    found.calibration = [
        CalibrationSample(group, b.kind, log_odds(b.probability), b.is_right)
        for b in sheet.beliefs
        if not b.is_theft_kind
    ]
    return found


def episodes_of(
    group: Group, reviews: Sequence[Review], causes: Sequence[TrueCause]
) -> list[EpisodeSample]:
    """The episodes that have evidence of any kind. A planned or witnessed one is left out."""
    spans: list[tuple[str, list[float], list[Evidence]]] = []
    for review in reviews:
        if not (FIXED.isdisjoint(review.levels) and _is_evidence(review.levels)):
            continue
        evidence = review.levels, round(review.other, 3)
        for tank, span, known in reversed(spans):
            if tank == review.tank and review.at <= span[1] and review.until >= span[0]:
                span[:] = min(span[0], review.at), max(span[1], review.until)
                if evidence not in known:
                    known.append(evidence)
                break
        else:
            spans.append((review.tank, [review.at, review.until], [evidence]))
    return [
        EpisodeSample(group, _theft(causes, tank, span), tuple(known))
        for tank, span, known in spans
    ]


def _is_evidence(levels: Sequence[str]) -> bool:
    return any(level.startswith(_BEGINNINGS) for level in levels)


def _theft(causes: Sequence[TrueCause], tank: str, span: Sequence[float]) -> str:
    """The kind of the theft that happened during an episode, or empty."""
    kinds = [
        cause.kind
        for cause in causes
        if cause.tank == tank and cause.kind in THEFT_KINDS
        and span[0] <= cause.until + _NEAR_S and span[1] >= cause.at - _NEAR_S
    ]  # fmt: skip
    return kinds[0] if kinds else ""


def collect(
    stories: Sequence[StoryName], jobs: int, progress: Callable[[int], None] = lambda _: None
) -> Samples:
    """The samples of all stories, by ``jobs`` processes, in the order of the stories."""
    total = Samples()
    if jobs <= 1:
        for done, name in enumerate(stories, 1):
            _add(total, samples_of(name))
            progress(done)
        return total
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for done, found in enumerate(pool.imap(samples_of, stories), 1):
            _add(total, found)
            progress(done)
    return total


def _add(total: Samples, found: Samples) -> None:
    total.tank_years += found.tank_years
    for kind, count in found.stories.items():
        total.stories[kind] = total.stories.get(kind, 0) + count
    total.episodes += found.episodes
    total.calibration += found.calibration

"""Which stories are run, and their run in several processes."""

import multiprocessing
from collections.abc import Callable, Iterable, Sequence

from gateway.evaluation import trial
from gateway.evaluation.catalog import KINDS, ORDINARY_DAYS, SeedSet, make, seed_of
from gateway.evaluation.sheet import Sheet, score

_TANKS_OF_A_STORY = 1.75  # mean of ordinary life

StoryName = tuple[str, int]
"""Kind and seed."""


def names(
    years: float, seeds: int, kinds: Sequence[str] = (), seed_set: SeedSet = "report"
) -> list[StoryName]:
    """About ``years`` tank-years of ordinary life, and ``seeds`` stories of each other kind.

    ``kinds`` limits them. The longest come first, so that all processes end together.
    """
    wanted = [kind for kind in KINDS.values() if not kinds or kind.name in kinds]
    months = round(years * 365.25 / ORDINARY_DAYS / _TANKS_OF_A_STORY)
    return [
        (kind.name, seed_of(i, seed_set))
        for kind in wanted
        for i in range(months if kind.group == "ordinary" else seeds)
    ]


def sheet_of(name: StoryName) -> Sheet:
    """Make one story, run it, and compare."""
    story = make(*name)
    return score(story, trial.run(story.registry, story.lines))


def run(
    stories: Iterable[StoryName], jobs: int, progress: Callable[[int], None] = lambda _: None
) -> Sheet:
    """The sum of all sheets, by ``jobs`` processes; ``progress`` is called with the count so far.

    The sum does not depend on the number of processes.
    """
    wanted = list(stories)
    total = Sheet()
    if jobs <= 1:
        for done, name in enumerate(wanted, 1):
            total.add(sheet_of(name))
            progress(done)
        return total
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for done, sheet in enumerate(pool.imap(sheet_of, wanted), 1):
            total.add(sheet)
            progress(done)
    return total

"""Which true deliveries count: those that can be noticed, and those that two readings show."""

import pytest

from gateway.domain.outputs import Level, TankEvent
from gateway.evaluation.report import table
from gateway.evaluation.scores import scores
from gateway.evaluation.sheet import Sheet
from gateway.evaluation.trial import Trial
from gateway.evaluation.truth import TrueRefill, Truth
from gateway.evaluation.water import received_of, refills_of, shown_by

T0 = 1_780_000_000.0
EVERY = 600.0
SD_L = 6.0
DELIVERY = TrueRefill("a", T0 + 650, T0 + 700, 100.0)


def levels(*litres: float) -> list[tuple[float, float, float, float]]:
    """The true level at readings each ten minutes from T0 on."""
    return [(T0 + EVERY * n, level, 0.0, 0.0) for n, level in enumerate(litres)]


def truth(*litres: float, received: int | None = None, refills: tuple[TrueRefill, ...]) -> Truth:
    """A story in which the first ``received`` readings arrived, or all of them."""
    sent = litres[:received]
    receipts = [(T0 + EVERY * n + 5, T0 + EVERY * n) for n in range(len(sent))]
    end = T0 + EVERY * len(litres)
    return Truth(T0, end, refills=list(refills), levels={"a": levels(*litres)},
                 receipts={"a": receipts})  # fmt: skip


def counts(story: Truth, *events: TankEvent, observable: bool) -> tuple[int, int, int]:
    shown = [Level(at, "a", litres, SD_L, "ok") for at, litres, *_ in story.levels["a"]]
    trial = Trial(events=list(events), levels={"a": shown})
    found = refills_of("a", story, trial, 1000.0, observable=observable)
    return found.found, found.missed, found.false


def event(at: float = DELIVERY.at) -> TankEvent:
    return TankEvent(at, at + 300, "a", "refill", 100.0)


@pytest.mark.parametrize(
    ("after", "observable"),
    [((600.0, 600.0), 1), ((600.0, 512.1), 1), ((600.0, 512.0), 0), ((600.0, 500.0), 0)],
)
def test_a_delivery_is_observable_when_two_readings_are_two_sd_above_the_one_before(
    after: tuple[float, float], observable: int
) -> None:
    story = truth(500, 500, *after, 500, 500, refills=(DELIVERY,))
    assert counts(story, observable=False) == (0, 1, 0)
    assert counts(story, observable=True) == (0, observable, 0)


@pytest.mark.parametrize(("received", "observable"), [(4, 1), (3, 0)])
def test_readings_that_never_arrived_show_nothing(received: int, observable: int) -> None:
    story = truth(500, 500, 600, 600, 600, received=received, refills=(DELIVERY,))
    assert counts(story, observable=True) == (0, observable, 0)


def test_a_message_that_arrives_after_the_end_shows_nothing() -> None:
    story = truth(500, 500, 600, 600, refills=(DELIVERY,))
    assert len(received_of("a", story)) == 4
    story.receipts["a"][-1] = (story.end + 1, T0 + 3 * EVERY)
    assert len(received_of("a", story)) == 3
    assert counts(story, observable=True) == (0, 0, 0)
    assert received_of("a", Truth(T0, T0, levels={"a": levels(500)})) == []


def test_an_unobservable_delivery_and_its_event_count_for_nothing() -> None:
    story = truth(500, 500, 600, 500, 500, refills=(DELIVERY,))
    assert counts(story, event(), observable=False) == (1, 0, 0)
    assert counts(story, event(), observable=True) == (0, 0, 0)
    assert counts(story, event(), event(T0 + 36_000), observable=True) == (0, 0, 1)


def test_the_next_delivery_does_not_show_the_one_before() -> None:
    later = TrueRefill("a", T0 + 2450, T0 + 2500, 100.0)
    story = truth(500, 500, 600, 500, 500, 600, 600, refills=(DELIVERY, later))
    assert counts(story, observable=True) == (0, 1, 0)
    assert shown_by(DELIVERY, T0 + 2450, levels(500, 500, 600, 500, 500, 600, 600), 12.0) == 1
    assert shown_by(DELIVERY, T0 + 9000, levels(500, 500, 600, 500, 500, 600, 600), 12.0) == 3


def test_a_delivery_before_the_first_reading_is_not_shown() -> None:
    early = TrueRefill("a", T0 - 60, T0 - 30, 100.0)
    assert shown_by(early, T0 + 9000, levels(600, 600, 600), 12.0) == 0


def test_both_figures_are_shown_side_by_side() -> None:
    sheet = Sheet(refills=[(90, 10, 0)], observable_refills=[(88, 2, 0)])
    found = {score.name: score for score in scores(sheet)}
    plain, observable = found["refills, F1"], found["refills, F1, of observable deliveries"]
    assert plain.value == pytest.approx(180 / 190)
    assert observable.value == pytest.approx(176 / 178)
    assert (plain.goal, plain.is_met, observable.is_met) == (">= 0.98", False, True)
    assert "of observable deliveries" in table(sheet)

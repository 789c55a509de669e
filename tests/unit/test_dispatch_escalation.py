"""Who is notified first, who next while nobody goes, and what a late claim does."""

from dataclasses import replace

import pytest

from gateway.domain.dispatch import escalation
from gateway.domain.dispatch.escalation import Case, Listeners, Progress
from gateway.domain.dispatch.people import Recipient

LOW = Case("low", "water", "north")
SEIZED = Case("seized", "theft", "north")
EVERYBODY = (
    Recipient("amy"), Recipient("ben"), Recipient("south", sites=frozenset({"south"})),
    Recipient("coco", coordinates=True), Recipient("dora", coordinates=True),
)  # fmt: skip
AMY_ON_SHIFT = Listeners(EVERYBODY, frozenset({"amy"}))
NOBODY_ON_SHIFT = Listeners(EVERYBODY, frozenset())


def test_who_is_on_shift_hears_first() -> None:
    step = escalation.opened(LOW, AMY_ON_SHIFT, 100.0)
    assert step.notify == {"amy"}
    assert step.progress == Progress(0, 100.0 + 1200, frozenset({"amy"}))


def test_where_nobody_is_on_shift_the_site_hears_first() -> None:
    step = escalation.opened(LOW, NOBODY_ON_SHIFT, 100.0)
    assert step.notify == {"amy", "ben", "coco", "dora"}
    assert step.progress.tier == 1
    other = Listeners(EVERYBODY, frozenset({"south"}))  # on shift, but elsewhere
    assert escalation.opened(LOW, other, 100.0) == step


def test_a_theft_reaches_coordinators_at_once() -> None:
    step = escalation.opened(SEIZED, AMY_ON_SHIFT, 100.0)
    assert step.notify == {"amy", "coco", "dora"}
    assert step.progress == Progress(0, 700.0, step.notify)


@pytest.mark.parametrize(
    ("case", "wait"),
    [
        (LOW, 1200), (Case("critical", "water", "n"), 1200), (Case("empty", "water", "n"), 600),
        (SEIZED, 600), (Case("silent", "sensor", "n"), 21_600),
    ],
)  # fmt: skip
def test_how_long_a_circle_has(case: Case, wait: float) -> None:
    assert escalation.wait_s(case) == wait


def test_while_nobody_goes_the_site_hears_and_then_the_coordinators() -> None:
    first = escalation.opened(LOW, AMY_ON_SHIFT, 0.0)
    second = escalation.due(first.progress, LOW, AMY_ON_SHIFT, 1200.0)
    assert second.notify == {"ben", "coco", "dora"}
    assert not second.lapsed
    assert second.progress.due == 2400.0
    third = escalation.due(second.progress, LOW, AMY_ON_SHIFT, 2400.0)
    assert third.notify == frozenset()  # they heard with their site
    assert third.progress.due is None
    assert third.progress.tier == 2


def test_coordinators_of_another_site_hear_last() -> None:
    boss = Recipient("boss", coordinates=True, groups=frozenset({"water"}))
    far = Listeners((Recipient("amy"), boss, Recipient("deaf", groups=frozenset({"theft"}))),
                    frozenset({"amy", "boss"}))  # fmt: skip
    step = escalation.opened(LOW, far, 0.0)
    assert step.notify == {"amy", "boss"}
    assert escalation.due(step.progress, LOW, far, 1200.0).progress.due is None


def test_after_an_outage_one_circle_hears_at_a_time() -> None:
    three = Listeners((Recipient("amy"), Recipient("ben"), Recipient("coco", coordinates=True)),
                      frozenset({"amy"}))  # fmt: skip
    first = escalation.opened(LOW, three, 0.0).progress
    late = escalation.due(first, LOW, three, 50_000.0)
    assert late.notify == {"ben", "coco"}
    assert late.progress.due == 51_200.0


def test_a_claim_stops_the_clock_until_it_is_overdue() -> None:
    progress = escalation.opened(LOW, AMY_ON_SHIFT, 0.0).progress
    going = replace(LOW, claimed_by="amy", claim_at=300.0, eta=2700.0)
    held = escalation.claimed(progress, going)
    assert held.due == 2700.0 + 1800
    assert escalation.due(held, going, AMY_ON_SHIFT, 4499.0).notify == frozenset()
    assert not escalation.due(held, going, AMY_ON_SHIFT, 4499.0).lapsed
    step = escalation.due(held, going, AMY_ON_SHIFT, 4500.0)
    assert step.lapsed
    assert step.notify == {"amy", "ben", "coco", "dora"}
    assert step.progress.due == 4500.0 + 1200


def test_a_claim_without_an_arrival_holds_two_hours() -> None:
    going = replace(LOW, claimed_by="amy", claim_at=300.0)
    assert escalation.overdue_at(going) == 7500.0
    assert escalation.claimed(Progress(0, 5.0), going).due == 7500.0


def test_an_arrival_that_was_put_off_counts() -> None:
    progress = Progress(0, 1000.0, frozenset({"amy"}))
    going = replace(LOW, claimed_by="amy", claim_at=0.0, eta=5000.0)
    step = escalation.due(progress, going, AMY_ON_SHIFT, 1000.0)
    assert step.progress.due == 6800.0
    assert step.notify == frozenset()


def test_of_a_release_hear_those_who_know_and_the_next_tier() -> None:
    progress = escalation.opened(LOW, AMY_ON_SHIFT, 0.0).progress
    step = escalation.released(progress, LOW, AMY_ON_SHIFT, 500.0)
    assert step.notify == {"amy", "ben", "coco", "dora"}
    assert step.progress.due == 1700.0
    again = escalation.released(Progress(2, None, step.notify), LOW, AMY_ON_SHIFT, 600.0)
    assert again.notify == step.notify
    assert again.progress.due is None


def test_of_a_release_nobody_hears_who_asked_not_to() -> None:
    gone = Listeners(EVERYBODY[1:], frozenset())
    step = escalation.released(Progress(0, 9.0, frozenset({"amy"})), LOW, gone, 1.0)
    assert step.notify == {"ben", "coco", "dora"}


def test_a_worse_level_tells_those_who_know_and_who_is_on_shift_now() -> None:
    progress = Progress(0, 1200.0, frozenset({"amy"}))
    empty = Case("empty", "water", "north")
    now_ben = Listeners(EVERYBODY, frozenset({"ben"}))
    step = escalation.changed(progress, empty, "water", now_ben, 900.0)
    assert step.notify == {"amy", "ben"}
    assert step.progress == Progress(0, 1500.0, frozenset({"amy", "ben"}))


def test_a_change_does_not_restart_the_last_tier() -> None:
    progress = Progress(2, None, frozenset({"amy", "ben"}))
    step = escalation.changed(progress, LOW, "water", AMY_ON_SHIFT, 900.0)
    assert step.progress.due is None
    assert step.notify == {"amy", "ben"}


def test_who_goes_hears_of_a_change_and_the_claim_stays() -> None:
    going = replace(LOW, kind="empty", claimed_by="ben", claim_at=0.0, eta=600.0)
    step = escalation.changed(Progress(0, 2400.0, frozenset({"amy"})), going, "water",
                              AMY_ON_SHIFT, 500.0)  # fmt: skip
    assert step.notify == {"amy", "ben"}
    assert step.progress.due == 2400.0


def test_a_silence_that_becomes_a_theft_begins_anew() -> None:
    notified = Progress(2, None, frozenset({"amy", "ben", "coco"}))
    step = escalation.changed(notified, SEIZED, "sensor", AMY_ON_SHIFT, 50.0)
    assert step.notify == {"amy", "ben", "coco", "dora"}
    assert step.progress.tier == 0
    assert step.progress.due == 650.0


def test_nobody_hears_what_they_did_not_ask_for() -> None:
    deaf = Listeners((replace(EVERYBODY[0], groups=frozenset({"theft"})),), frozenset({"amy"}))
    step = escalation.opened(LOW, deaf, 0.0)
    assert step.notify == frozenset()
    assert step.progress.due is None
    step = escalation.changed(Progress(0, 9.0, frozenset({"amy"})), LOW, "water", deaf, 1.0)
    assert step.notify == frozenset()

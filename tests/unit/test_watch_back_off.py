"""How long a node may back off: outages that it met, apart and in a row, and their memory."""

import pytest

from gateway.domain.watch.rules.back_off import Quiet, allowed_until, prove, record, with_slack

H = 3600.0
DUE = 1000.0
"""The node sent at 0 and must have tried again by then."""


def allowed(*spans: Quiet) -> tuple[float, float]:
    return allowed_until(spans, 0.0, DUE)


def test_without_outages_nothing_is_allowed() -> None:
    assert allowed() == (0.0, 0.0)


def test_after_an_outage_a_node_waits_as_long_again_with_some_slack() -> None:
    until = 5000 + 4000 + 200
    assert allowed(Quiet(1000.0, 5000.0, "proven")) == (until, until)


def test_an_outage_that_is_only_possible_is_told_apart() -> None:
    assert allowed(Quiet(1000.0, 5000.0, "possible")) == (0.0, 5000 + 4000 + 200)


def test_an_outage_of_the_gateway_alone_excuses_no_more_than_its_credit() -> None:
    assert allowed(Quiet(500.0, 5000.0, "own")) == (0.0, 0.0)


def test_a_node_waits_eight_hours_at_most() -> None:
    outage = Quiet(0.0, 20 * H, "proven")
    assert allowed(outage)[0] == 28 * H + 0.4 * H


@pytest.mark.parametrize(("wait_s", "slack_s"), [(0, 120), (2400, 120), (2401, 120.05), (H, 180)])
def test_the_slack_is_two_minutes_or_a_twentieth(wait_s: float, slack_s: float) -> None:
    assert with_slack(wait_s) - wait_s == pytest.approx(slack_s)


def test_an_outage_after_the_attempt_was_due_is_not_met() -> None:
    assert allowed(Quiet(DUE + 0.1, 5000.0, "proven")) == (0.0, 0.0)
    assert allowed(Quiet(DUE, 5000.0, "proven"))[0] > 0


def test_an_outage_that_ended_before_the_last_message_is_not_met() -> None:
    assert allowed(Quiet(-50.0, 0.0, "proven")) == (0.0, 0.0)
    assert allowed(Quiet(-50.0, 0.1, "proven"))[0] > 0


def test_an_outage_in_which_the_clock_was_set_back_lasted_longer_than_its_times_say() -> None:
    until = 5000 + 7000 + 350
    assert allowed(Quiet(1000.0, 5000.0, "proven", 3000.0)) == (until, until)
    joined = Quiet(9000.0, 10_000.0, "proven", 1000.0)
    failed_s = 10_000 - 1000 + 3000 + 1000
    both = allowed(Quiet(1000.0, 5000.0, "proven", 3000.0), joined)
    assert both[0] == 10_000 + failed_s * 1.05


@pytest.mark.parametrize(
    ("at", "later_s"), [(4999.9, 0.0), (5000.0, 600.0), (9199.9, 600.0), (9200.0, 0.0)]
)
def test_a_back_off_in_which_the_clock_was_set_ahead_ends_later(at: float, later_s: float) -> None:
    outage = Quiet(1000.0, 5000.0, "proven")
    assert allowed_until([outage], 0.0, DUE, [[at, 600.0]])[0] == 9200 + later_s


def test_the_order_of_the_outages_does_not_matter() -> None:
    first, second = Quiet(500.0, 5000.0, "proven"), Quiet(9000.0, 12000.0, "proven")
    assert allowed(first, second) == allowed(second, first)


def test_an_outage_found_in_the_back_off_after_another_prolongs_the_first() -> None:
    first, reach = Quiet(900.0, 4900.0, "proven"), 4900 + 4000 + 200.0
    joined = 10_000 + 9100 + 0.05 * 9100
    assert allowed(first, Quiet(reach, 10_000.0, "proven"))[0] == joined
    assert allowed(first, Quiet(reach + 0.1, 10_000.0, "proven"))[0] == reach


@pytest.mark.parametrize(("kind", "until"), [("own", 19_555.0), ("possible", 0.0)])
def test_an_outage_of_the_gateway_is_joined_and_a_possible_one_is_not(
    kind: str, until: float
) -> None:
    first = Quiet(900.0, 4900.0, "own" if kind == "own" else "possible")
    assert allowed(first, Quiet(9000.0, 10_000.0, "proven"))[0] == until


def test_a_short_outage_within_a_longer_back_off_does_not_shorten_it() -> None:
    first = Quiet(900.0, 4900.0, "proven")
    second = Quiet(900.0, 1500.0, "proven")
    assert allowed(second, first) == allowed(first)


def test_outages_are_joined_for_a_day() -> None:
    first, reach = Quiet(0.0, 20 * H, "proven"), 28.4 * H
    near, far = Quiet(24 * H, 25 * H, "proven"), Quiet(24 * H + 1, 25 * H, "proven")
    last = Quiet(33.0 * H, 34 * H, "proven")
    assert allowed(first, near, last)[0] == 34 * H + 8.4 * H
    assert allowed(first, far, last)[0] == 25 * H + 8.4 * H
    assert allowed(first)[0] == reach


def test_a_pause_longer_than_the_limit_is_kept_unproven() -> None:
    spans: list[list[float]] = []
    record(spans, 0.0, 450.0, 450.0, 450.0)
    assert spans == []
    record(spans, 0.0, 450.1, 450.0, 450.1)
    assert spans == [[0.0, 450.1, 0.0]]


def test_a_pause_in_which_the_clock_was_set_back_is_kept_with_what_its_times_hide() -> None:
    spans: list[list[float]] = []
    record(spans, 1000.0, 1100.0, 3600.0, 3600.0)
    assert spans == []
    record(spans, 1000.0, 1100.0, 3600.0, 3600.1)
    record(spans, 2000.0, 2000.0, 60.0, 4000.0)
    record(spans, 2000.0, 2500.0, 60.0, 500.0)
    assert spans == [
        [1000.0, 1100.0, 0.0, 3500.1], [2000.0, 2000.0, 0.0, 4000.0], [2000.0, 2500.0, 0.0]
    ]  # fmt: skip


def test_the_sixteen_longest_of_two_days_are_kept() -> None:
    spans: list[list[float]] = []
    for number in range(16):
        start, lasted_s = 1000.0 * number, 500.0 + (number - 5) ** 2
        record(spans, start, start + lasted_s, 60.0, lasted_s)
    assert len(spans) == 16
    record(spans, 20_000.0, 20_100.0, 60.0, 100.0)
    assert [span[0] for span in spans] == [1000.0 * n for n in range(16) if n != 5] + [20_000.0]
    record(spans, 50 * H, 50 * H + 100, 60.0, 100.0)
    ended = [span[1] for span in spans[:-1]]
    assert min(ended) >= 50 * H + 100 - 48 * H
    assert spans[-1] == [50 * H, 50 * H + 100, 0.0]


def test_a_span_that_ended_two_days_ago_is_kept_until_the_next() -> None:
    spans = [[0.0, 100.0, 1.0]]
    record(spans, 48 * H, 100 + 48 * H, 60.0, 100.0)
    assert len(spans) == 2
    record(spans, 48 * H, 100.1 + 48 * H, 60.0, 100.1)
    assert len(spans) == 2, "the first was dropped"


def test_a_node_that_was_overdue_proves_the_pauses_that_began_while_it_waited() -> None:
    spans = [[start, start + 50, 0.0] for start in (0.0, 100.0, 200.0, 300.0)]
    assert prove(spans, 100.0, 200.0)
    assert [span[2] for span in spans] == [0.0, 1.0, 1.0, 0.0]
    assert not prove(spans, 100.0, 200.0), "nothing new"
    assert prove(spans, 100.0, 300.0)

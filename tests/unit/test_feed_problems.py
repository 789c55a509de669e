"""When a third-party sensor's messages count as unreadable for good."""

from gateway.database.feed_problems import FeedProblem
from gateway.ingest.adapters.problems import FeedProblems

EVERY_S = 60.0


def noted(*messages: tuple[float, str]) -> FeedProblems:
    problems = FeedProblems()
    for received, problem in messages:
        problems.note("feedaa", problem, received, EVERY_S)
    return problems


def test_a_problem_lasts_once_the_promise_has_passed_without_a_level() -> None:
    first, soon = (1000.0, ""), (1030.0, "no SR04")
    assert noted(first, soon).found == {"feedaa": FeedProblem(1, "no SR04", False)}
    late = noted(first, soon, (1059.9, "no SR04"))
    assert late.found["feedaa"] == FeedProblem(2, "no SR04", False)
    lasting = noted(first, soon, (1060.0, "not JSON"))
    assert lasting.found["feedaa"] == FeedProblem(2, "not JSON", True)


def test_a_feed_that_was_never_readable_is_timed_from_its_first_message() -> None:
    assert not noted((1000.0, "not JSON")).found["feedaa"].lasts
    assert noted((1000.0, "not JSON"), (1060.0, "not JSON")).found["feedaa"].lasts


def test_a_readable_level_ends_it_and_keeps_the_count() -> None:
    problems = noted((1000.0, "not JSON"), (1060.0, "not JSON"), (1070.0, ""))
    assert problems.found["feedaa"] == FeedProblem(2, "not JSON", False)
    assert problems.changes == 3
    problems.note("feedaa", "", 1080.0, EVERY_S)
    assert problems.changes == 3


def test_feeds_without_a_problem_have_no_row() -> None:
    assert noted((1000.0, "")).found == {}

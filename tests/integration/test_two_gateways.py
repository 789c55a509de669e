"""Two gateways on one PostgreSQL send the alerts that one gateway with SQLite sends.

``NORIA_STORIES`` is the number of stories in ``make test``; the benchmark has 1,000.
"""

import os
from pathlib import Path

import pytest

from gateway.domain.watch.rules.presence import slack_s
from tests.parts.postgresql_service import PostgreSQL
from tests.stories.both import Compared, compare
from tests.stories.script import NEXT_S, stories
from tests.stories.world import Kill

STORIES = int(os.environ.get("NORIA_STORIES", "28"))


def report(what: str, found: Compared) -> None:
    apart = found.apart_s
    middle, most = (apart[len(apart) // 2], apart[-1]) if apart else (0.0, 0.0)
    print(
        f"\n{what}: {found.messages} messages, {found.incidents} incidents, {found.alerts} alerts, "
        f"{middle:.2f} s apart in the middle, {most:.2f} s at most"
    )


def test_no_story_has_a_wake_close_to_a_deadline_of_silence() -> None:
    """Two worlds receive a wake some ms apart, at 150 times the speed some seconds of the story: a
    node that comes back at the very deadline would be silent in one and not in the other.
    """
    drawn = [(STORIES, 7, 1.2), *((200, 100 + n, 1.5) for n in range(5))]
    for number, seed, hours in drawn:
        for story in stories(number, seed=seed, hours=hours):
            for wake, after in zip(story.wakes, story.wakes[1:], strict=False):
                next_s = wake.fields["next"]
                deadline = wake.at + 3 * next_s + slack_s(next_s)
                assert abs(after.at - deadline) > 80.0, (seed, story.tank, story.kind, after.at)


def test_two_gateways_send_the_alerts_of_one(tmp_path: Path, postgresql: PostgreSQL) -> None:
    found = compare(tmp_path, postgresql, stories(STORIES, seed=7, hours=1.2), speed=150.0)
    report(f"{STORIES} stories", found)
    assert found.unmatched == ()
    assert found.alerts >= STORIES // 3
    assert found.apart_s[-1] <= 5.0
    assert found.acks_back == 0


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kills", [0, 4])
def test_a_thousand_stories(tmp_path: Path, postgresql: PostgreSQL, kills: int) -> None:
    """In parts: at this speed the alerts of a thousand camps would queue for one channel."""
    speed, hours, part = 60.0, 1.5, 200
    deaths = [Kill((0.2 + 0.15 * n) * hours * 3600, n % 2) for n in range(kills)]
    parts = max(1, int(os.environ.get("NORIA_STORIES", "1000")) // part)
    found: list[Compared] = []
    for n in range(parts):
        story = stories(part, seed=100 + n, hours=hours)
        found.append(compare(tmp_path / str(n), postgresql, story, speed, deaths))
        report(f"{part} stories, {kills} kills", found[-1])
    assert [f.unmatched for f in found] == [()] * parts
    resend_s = NEXT_S / speed
    assert max(f.apart_s[-1] for f in found) <= (5.0 if not kills else 5.0 + resend_s)
    assert sum(f.acks_back for f in found) == 0

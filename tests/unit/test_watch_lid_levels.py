"""What an open lid counts as: where cans may come unseen it weighs less, for half a day."""

from dataclasses import replace

import pytest

from gateway.domain.watch.rules import lid as lid_rules
from gateway.domain.watch.rules import removal
from tests.unit.handled_tank import episode_of, handled_tank
from tests.unit.tank_story import HOUR, T0
from tests.unit.test_watch_lid import asks_again, opened_lid, stayed


@pytest.mark.parametrize(("open_s", "is_judged"), [(6 * HOUR - 1, False), (6 * HOUR, True)])
def test_a_lid_of_a_nearly_empty_tank_is_judged_after_six_hours(
    open_s: float, is_judged: bool
) -> None:
    handled = opened_lid()
    handled.context.now = T0 + open_s
    handled.device.promises[0].received = handled.context.now
    handled.tank.settling.smooth_l = 149.9
    if is_judged:
        assert stayed(handled)
        assert handled.changes == [("opened", "lid_open")]
    else:
        assert asks_again(handled)


NIGHT, MORNING = T0, T0 + 9 * HOUR  # 22:00 and 7:00 UTC


@pytest.mark.parametrize(
    ("opened", "open_s", "refill_l", "level_l", "level"),
    [
        (NIGHT, 2 * HOUR, None, 700, "stayed"), (NIGHT, 2 * HOUR, 199, 700, "stayed"),
        (NIGHT, 2 * HOUR, None, 149.9, "stayed_dry"), (NIGHT, 2 * HOUR, None, 150, "stayed"),
        (MORNING, 2 * HOUR, None, 700, "stayed_cans"), (MORNING, 2 * HOUR, 200, 700, "stayed"),
        (MORNING, 2 * HOUR, 199, 700, "stayed_cans"), (MORNING - 1, 2 * HOUR, 199, 700, "stayed"),
        (MORNING, 2 * HOUR, 199, 149.9, "stayed_cans"),
        (MORNING, 12 * HOUR - 1, 199, 700, "stayed_cans"),
        (MORNING, 12 * HOUR, 199, 700, "stayed_long"),
        (NIGHT, 12 * HOUR, None, 149.9, "stayed_long"),
        (NIGHT, 12 * HOUR, None, 700, "stayed_long"),
    ],
)  # fmt: skip
def test_cans_by_day_and_an_empty_tank_make_an_open_lid_weigh_less_for_half_a_day(
    opened: float, open_s: float, refill_l: float | None, level_l: float, level: str
) -> None:
    handled = handled_tank()
    handled.context.now = opened + open_s
    handled.tank.flow.refill_l, handled.tank.settling.smooth_l = refill_l, level_l
    assert lid_rules.stayed_as(handled.context, handled.tank, handled.row, opened) == level


@pytest.mark.parametrize(("refill_l", "asked"), [(200, None), (199, T0 + 21 * HOUR)])
def test_where_cans_may_come_unseen_the_lid_is_judged_again_after_half_a_day(
    refill_l: float | None, asked: float | None
) -> None:
    handled = opened_lid()
    assert handled.tank.episode is not None
    handled.tank.episode.lid_at = MORNING
    handled.context.now = MORNING + 2 * HOUR
    handled.device.promises[0].received = handled.context.now
    handled.tank.flow.recent = [[MORNING + at, 700.0] for at in (-600, -300, 600, 1800)]
    handled.tank.flow.refill_l = refill_l
    assert stayed(handled)
    assert handled.tank.due.get("lid") == asked
    assert handled.tank.episode.lid_as == ("stayed" if asked is None else "stayed_cans")
    removal.close_lid(handled.context, handled.tank, "lid_closed")
    assert handled.tank.episode.lid_as == "stayed"


@pytest.mark.parametrize(
    ("motion_s", "level"),
    [(None, "lid.open"), (-600, "lid.moved"), (-601, "lid.open"), (600, "lid.moved"),
     (601, "lid.open")],
)  # fmt: skip
def test_a_lid_opened_within_ten_minutes_of_the_motion_belongs_to_it(
    motion_s: float | None, level: str
) -> None:
    motion_at = None if motion_s is None else T0 + motion_s
    episode = episode_of(lid_at=T0, motion_at=motion_at)
    assert handled_tank().terms(episode)["lid"].levels == (level,)
    assert handled_tank().terms(replace(episode, lid_stayed=True, lid_as="stayed_dry"))[
        "lid"
    ].levels == ("lid.stayed_dry",)

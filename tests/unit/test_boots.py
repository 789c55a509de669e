"""The anchor of each boot, by the values that WIRE.md (*Event time*) fixes."""

from datetime import UTC, datetime

import pytest

from gateway.domain.boot_time import EARLIEST_UNIX, LATEST_AHEAD_S, Boot, EraBoots, is_plausible

T0 = 1_795_212_000
LIMIT = 512
"""Boots that an era keeps."""


def test_a_time_is_plausible_from_2026_to_300_s_past_receipt() -> None:
    # WIRE.md: "before 2026-01-01 or more than 300 s past receipt".
    assert datetime(2026, 1, 1, tzinfo=UTC).timestamp() == EARLIEST_UNIX
    assert LATEST_AHEAD_S == 300
    assert is_plausible(1_767_225_600, T0)
    assert not is_plausible(1_767_225_599, T0)
    assert is_plausible(T0 + 300, float(T0))
    assert not is_plausible(T0 + 300, T0 - 0.5)


def test_a_boot_keeps_its_longest_uptime_and_its_quickest_receipt() -> None:
    boot = Boot()
    boot.learn(t=0, up=100, ta=None, seq=1, received=T0 + 130.0)
    assert boot == Boot(100, 1, None, None, 0, T0 + 30.0)
    boot.learn(t=0, up=50, ta=None, seq=2, received=T0 + 90.0)
    assert boot == Boot(100, 2, None, None, 0, T0 + 30.0)
    boot.learn(t=0, up=150, ta=None, seq=3, received=T0 + 170.0)
    assert boot == Boot(150, 3, None, None, 0, T0 + 20.0)


def test_a_message_with_a_plausible_time_is_not_estimated() -> None:
    boot = Boot()
    boot.learn(t=T0 + 90, up=100, ta=7, seq=4, received=T0 + 101.0)
    assert boot == Boot(0, 0, T0 - 10.0, 7, 4)
    boot.learn(t=T0 + 500, up=120, ta=1, seq=5, received=T0 + 121.0)  # 379 s ahead
    assert boot == Boot(0, 1, T0 - 10.0, 7, 4)


def test_after_the_devices_own_time_only_a_better_or_an_estimated_one_changes_a_boot() -> None:
    boot = Boot()
    assert boot.learn(t=0, up=90, ta=None, seq=3, received=T0 + 95.0)
    assert boot.learn(t=T0 + 90, up=100, ta=7, seq=4, received=T0 + 101.0)
    known = Boot(90, 1, T0 - 10.0, 7, 4, T0 + 5.0)
    assert boot == known
    assert not boot.learn(t=T0 + 190, up=200, ta=107, seq=5, received=T0 + 190.0)
    assert boot == known
    assert boot.learn(t=0, up=300, ta=None, seq=6, received=T0 + 290.0)
    assert boot == Boot(90, 2, T0 - 10.0, 7, 4, T0 + 5.0)
    assert boot.learn(t=T0 + 391, up=400, ta=6, seq=7, received=T0 + 391.0)
    assert boot == Boot(90, 2, T0 - 9.0, 6, 7, T0 + 5.0)


@pytest.mark.parametrize(
    ("ta", "seq", "replaces"),
    [
        (6, 9, True),  # set more recently
        (0, 9, True),
        (7, 4, True),  # equally fresh: the lowest seq
        (7, 5, False),
        (7, 6, False),
        (8, 1, False),
        (None, 1, False),  # absent counts as the largest
    ],
)
def test_the_time_that_was_set_last_is_a_boots_anchor(
    ta: int | None, seq: int, replaces: bool
) -> None:
    boot = Boot()
    boot.learn(t=T0, up=100, ta=7, seq=5, received=T0 + 1.0)
    boot.learn(t=T0 + 30, up=110, ta=ta, seq=seq, received=T0 + 40.0)
    expected = (T0 - 80.0, ta, seq) if replaces else (T0 - 100.0, 7, 5)
    assert (boot.device_anchor, boot.device_ta, boot.device_seq) == expected


def test_a_clock_set_this_second_is_fresher_than_one_set_a_second_ago() -> None:
    boot = Boot()
    boot.learn(t=T0, up=100, ta=1, seq=1, received=T0 + 1.0)
    boot.learn(t=T0 + 9, up=100, ta=0, seq=2, received=T0 + 9.0)
    assert (boot.device_anchor, boot.device_ta, boot.device_seq) == (T0 - 91.0, 0, 2)


def test_of_two_times_without_an_age_the_lowest_seq_counts() -> None:
    boot = Boot()
    boot.learn(t=T0, up=100, ta=None, seq=2, received=T0 + 1.0)
    boot.learn(t=T0 + 5, up=100, ta=None, seq=3, received=T0 + 6.0)
    assert boot.device_seq == 2
    boot.learn(t=T0 + 7, up=100, ta=None, seq=1, received=T0 + 8.0)
    assert (boot.device_seq, boot.device_anchor) == (1, T0 - 93.0)


def test_an_unknown_boot_has_no_anchor() -> None:
    boots = EraBoots({2: Boot(receipt_anchor=5.0)})
    assert (boots.anchor(1), boots.anchor(2), boots.anchor(3)) == (None, 5.0, None)


@pytest.mark.parametrize(
    ("boots", "anchors"),
    [
        # The device's own time counts, never the receipt's.
        ({1: Boot(10, 0, 100.0, 1, 1, 300.0)}, [100.0]),
        # A boot ends before the next begins.
        ({1: Boot(10, 1, receipt_anchor=300.0), 2: Boot(5, 0, 200.0, 1, 1, 400.0)},
         [190.0, 200.0]),
        ({1: Boot(10, 1, receipt_anchor=150.0), 2: Boot(5, 0, 200.0, 1, 1, 400.0)},
         [150.0, 200.0]),
        # Through boots without a time, and numbers that never came.
        ({1: Boot(10, 1, receipt_anchor=300.0), 4: Boot(20, 1, receipt_anchor=300.0),
          7: Boot(5, 0, 200.0, 1, 1, 400.0)}, [170.0, 180.0, 200.0]),
        # A later boot with a time is no limit where an earlier one is.
        ({1: Boot(10, 1, receipt_anchor=900.0), 2: Boot(5, 0, 500.0, 1, 1, 400.0),
          3: Boot(5, 0, 100.0, 1, 1, 400.0)}, [490.0, 500.0, 100.0]),
        # A boot restored without any time has none, and limits none.
        ({1: Boot(10, 1, receipt_anchor=300.0), 2: Boot(5, 1)}, [300.0, None]),
        ({1: Boot(10, 1), 2: Boot(5, 1, receipt_anchor=300.0)}, [None, 300.0]),
    ],
)  # fmt: skip
def test_the_anchor_of_a_boot_follows_from_its_own_times_and_the_next_boots(
    boots: dict[int, Boot], anchors: list[float | None]
) -> None:
    era = EraBoots(boots)
    assert [era.anchor(number) for number in boots] == anchors


def learned(
    boots: EraBoots, boot: int, up: int, received: float, t: int = 0, seq: int = 1
) -> tuple[int, ...] | None:
    return boots.learn(boot, t=t, up=up, ta=1 if t else None, seq=seq, received=received)


def test_only_boots_with_earlier_estimated_messages_change() -> None:
    boots = EraBoots()
    assert learned(boots, 1, 100, T0 + 200.0) == ()  # its own first: nothing was projected
    assert learned(boots, 1, 110, T0 + 210.0) == ()  # as quick as the first
    assert learned(boots, 1, 120, T0 + 219.0) == (1,)
    assert learned(boots, 3, 10, T0 + 500.0, t=T0 + 400) == ()  # begins after boot 1 ended
    assert learned(boots, 2, 300, T0 + 300.0, t=T0 + 300) == (1,)  # boot 1 ended by T0
    assert boots.anchor(1) == T0 - 120.0
    assert learned(boots, 3, 11, T0 + 501.0, t=T0 + 401) is None  # nothing new


def test_a_message_of_an_earlier_boot_changes_no_later_one() -> None:
    boots = EraBoots()
    learned(boots, 2, 100, T0 + 200.0)
    assert learned(boots, 1, 900, T0 + 900.0, t=T0 + 50) == ()
    assert boots.anchor(2) == T0 + 100.0


def test_several_boots_without_a_time_change_together() -> None:
    boots = EraBoots()
    learned(boots, 1, 100, T0 + 500.0)
    learned(boots, 2, 100, T0 + 500.0)
    assert learned(boots, 3, 50, T0 + 250.0, t=T0 + 250) == (1, 2)
    assert [boots.anchor(n) for n in (1, 2, 3)] == [T0, T0 + 100, T0 + 200]


def test_boots_of_a_restored_state_that_were_estimated_can_change() -> None:
    for estimated, changed in ((1, (1,)), (0, ())):
        boots = EraBoots({1: Boot(100, estimated, receipt_anchor=T0 + 400.0)})
        assert learned(boots, 2, 50, T0 + 250.0, t=T0 + 250) == changed


def test_an_era_forgets_its_lowest_boots_beyond_512() -> None:
    boots = EraBoots()
    for number in range(1, LIMIT + 1):
        learned(boots, number, 5, T0 + 10.0 * number)
    assert boots.anchor(1) == T0 + 5.0
    assert learned(boots, LIMIT + 1, 2, T0 - 1.0, t=T0 - 1) == tuple(range(2, LIMIT + 1))
    assert (boots.anchor(1), boots.anchor(LIMIT + 1)) == (None, T0 - 3.0)
    assert boots.anchor(2) == T0 - 3.0 - 5.0 * (LIMIT - 1)
    # A message of a forgotten boot is forgotten again, and changes nothing.
    assert learned(boots, 1, 5, T0 + 9.0) == ()
    assert boots.anchor(1) is None


def test_the_state_of_an_era_is_json_and_restores_it() -> None:
    boots = EraBoots({3: Boot(), 4: Boot(1, 2, 3.0, 4, 5, 6.0)})
    state = {"3": [0, 0, None, None, 0, None], "4": [1, 2, 3.0, 4, 5, 6.0]}
    assert boots.state() == state
    assert EraBoots.restored(state).state() == state  # type: ignore[arg-type]

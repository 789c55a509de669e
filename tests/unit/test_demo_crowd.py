"""A demo of many nodes: their kinds, and the speed of their time."""

from collections import Counter

import pytest

from gateway.registry.check import problems
from server.demo import pace, place


def test_the_first_twelve_spots_are_the_storys_and_the_others_are_of_mixed_kinds() -> None:
    assert place.spots() == list(place.SPOTS)
    crowd = place.spots(200)
    assert crowd[:12] == list(place.SPOTS)
    assert len(crowd) == len({spot.tank for spot in crowd}) == 200
    kinds = Counter((spot.kind, spot.lte) for spot in crowd)
    assert min(kinds.values()) > 5 and len(kinds) == 4
    assert {spot.sensor for spot in crowd if spot.kind == "station"} == {"hx711"}
    assert Counter(spot.sensor for spot in crowd)["probe"] > 20
    assert all(0 < spot.level_l < spot.capacity_l for spot in crowd)


@pytest.mark.parametrize("count", [12, 13, 200, place.MOST])
def test_every_number_of_nodes_makes_a_valid_registry(count: int) -> None:
    registry = place.registry(place.nodes(count))
    assert len(registry.devices) == count
    assert list(problems(registry)) == []


def test_time_runs_at_the_wanted_speed_where_the_machine_can() -> None:
    assert pace.feasible_speed(120, 12, 300, 60) == 120


def test_time_runs_slower_where_nodes_would_wake_late() -> None:
    # 200 nodes each 600 s at 48 times are 16 wakes a second, two fifths of 40.
    assert pace.feasible_speed(120, 200, 600, 40) == 48
    assert pace.feasible_speed(120, 500, 600, 0.1) == 1

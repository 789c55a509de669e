"""A demo of many nodes: who they are, and how fast their time may run."""

from collections import Counter

import pytest

from gateway.registry.check import problems
from server.demo import pace, place


def test_twelve_spots_are_the_storys_and_more_are_of_mixed_kinds() -> None:
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
def test_every_crowd_is_a_registry_without_a_problem(count: int) -> None:
    registry = place.registry(place.nodes(count))
    assert len(registry.devices) == count
    assert list(problems(registry)) == []


def test_time_runs_as_wished_where_the_machine_carries_it() -> None:
    assert pace.bearable(120, 12, 300, 60) == 120


def test_time_runs_slower_rather_than_starve_a_node() -> None:
    # 200 nodes each 600 s at 48 times are 16 wakes a second, two fifths of 40.
    assert pace.bearable(120, 200, 600, 40) == 48
    assert pace.bearable(120, 500, 600, 0.1) == 1

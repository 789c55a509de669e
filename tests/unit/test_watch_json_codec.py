"""The saved form of the watch's records: it is worked out once for each kind, not for each save."""

from gateway.domain.entry import JSON
from gateway.domain.watch.memory.json_codec import from_saved, to_saved
from gateway.domain.watch.memory.state import TankState
from gateway.domain.watch.tracks.account import Flow
from gateway.domain.watch.tracks.tamper import Episode
from tests.unit.calls import calls_in


def test_samples_that_an_earlier_version_saved_in_pairs_are_read() -> None:
    saved: JSON = {"tank": "north-1", "flow": {"recent": [[1.0, 500.0], [2.0, 498.5]]}}
    tank = from_saved("tank:north-1", saved)
    assert isinstance(tank, TankState)
    assert (tank.flow.recent_at, tank.flow.recent_l) == ([1.0, 2.0], [500.0, 498.5])
    flow = to_saved(tank)["flow"]
    assert isinstance(flow, Flow)
    assert flow.recent == [[1.0, 500.0], [2.0, 498.5]]


def test_a_record_is_saved_and_read_without_looking_at_its_type_again() -> None:
    tank = TankState("north-1", episode=Episode(1.0, 2.0, "node-1"))
    to_saved(tank)
    assert calls_in(lambda: to_saved(tank)) < 40  # one look at both types: 140 more
    saved: JSON = {"tank": "north-1", "muted": "low"}
    assert from_saved("tank:north-1", saved) == TankState("north-1", muted="low")
    assert calls_in(lambda: from_saved("tank:north-1", saved)) < 200

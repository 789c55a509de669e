"""The demo's history: the same water as its boards', sealed messages, levels that go on."""

import base64
import hashlib
import json
from random import Random

from firmware.virtual.host.history import History, leave_flash
from firmware.virtual.host.vessel import Flow, Vessel
from gateway.domain.registry import Registry
from gateway.projections.replay import Replay
from server.demo import place

END = 1795948200.0  # Sunday 29 November 2026, 11:30 in Paris
DAY = 86400.0
NODES = [n for n in place.nodes() if n.spot.tank in ("canal-1", "dunes-cans", "orchard-2")]
PLAN = {
    "boards": [
        {"device": n.device, "key": n.key.hex(),
         "model": {"kind": "station" if n.spot.kind == "station" else "ibc",
                   "level_l": n.spot.level_l, "draw_lph": n.spot.draw_lph,
                   "uplink": n.spot.uplink}}
        for n in NODES
    ]
}  # fmt: skip
HISTORY = History(PLAN, END - 3 * DAY, END)
LINES = HISTORY.lines()


def test_the_watch_takes_every_line_as_a_devices_next_message():
    """MAC and the chain of ``prev`` included: nothing is trusted."""
    registry: Registry = place.registry(NODES)
    run = Replay(registry)
    rows = list(run.rows(line.encode() for line in LINES))
    assert not run.unusable
    assert run.counts == {"stored": len(LINES)}
    refills = [row for row in rows if row.get("kind") == "refill"]
    assert {row["tank"] for row in refills} == {n.spot.tank for n in NODES}
    assert any(row["type"] == "incident" and row["kind"] == "low" for row in rows)


def test_lines_are_in_the_order_of_time_and_of_the_span():
    received = [json.loads(line)["received"] for line in LINES]
    assert received == sorted(received)
    assert received[0] > END - 3 * DAY
    assert END - 1500 < received[-1] < END + 10


def test_it_ends_with_the_levels_that_the_fleet_begins_with():
    for node in NODES:
        assert abs(HISTORY.levels()[node.device] - node.spot.level_l) < 20, node.spot.tank


def test_a_board_goes_on_in_its_era_after_the_last_message(tmp_path):
    board = HISTORY.boards[0]
    leave_flash(board, tmp_path)
    ring = (tmp_path / board.device / "ring.bin").read_bytes()
    last = [one for one in map(json.loads, LINES) if board.device in one["topic"]][-1]
    text = last["payload"].split("\n")[0]
    assert board.era.encode() in ring
    assert hashlib.sha256(text.encode()).digest()[:16] in ring
    assert json.loads(text)["seq"] == board.seq
    assert len(base64.urlsafe_b64decode(json.loads(text)["prev"] + "==")) == 16


def test_one_long_step_of_a_vessel_is_the_same_as_many_short_ones():
    random = Random(4)
    flows = [(at, at + random.uniform(30, 900), random.uniform(-0.2, 0.3))
             for at in (random.uniform(0, 7000) for _ in range(30))]  # fmt: skip
    long = Vessel(1000.0, 500.0, 0.0, flows=[Flow(*one) for one in flows])
    short = Vessel(1000.0, 500.0, 0.0, flows=[Flow(*one) for one in flows])
    long.advance(9000.0)
    for at in range(0, 9001, 10):
        short.advance(float(at))
    assert abs(long.level_l - short.level_l) < 1e-6


def test_a_vessel_that_would_run_over_is_followed_in_short_steps():
    vessel = Vessel(1000.0, 990.0, 0.0, flows=[Flow(0, 600, 1.0), Flow(600, 1200, -0.5)])
    vessel.advance(1200.0)
    assert 690 <= vessel.level_l <= 710

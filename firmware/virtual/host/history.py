"""``python -m firmware.virtual.host.history --fleet fleet.json --data FOLDER --start S --end E``

Simulates the weeks before a fleet starts (S to E, Unix s): the same water, people and sensors, and
volunteers who refill. Prints what the boards would have published as lines of a recording, in the
order of time, and at last ``{"levels": {device: litres}}``. Each board's flash in FOLDER is left in
the state after its last message: the fleet goes on from there with the levels of fleet.json, or
with those printed. No firmware runs: four weeks of it would take half an hour.
"""

import argparse
import base64
import copy
import hashlib
import heapq
import hmac
import importlib
import json
import secrets
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from firmware.virtual.host import filesystem, rom
from firmware.virtual.host.fleet import load, model_of
from firmware.virtual.host.people import LOCAL_OFFSET_S
from firmware.virtual.host.rom import SHIMS
from firmware.virtual.host.sensors import echo_mm, scale_g
from firmware.virtual.host.world import World

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_FIRMWARE = "0.2.0"
_DAY_S, _HOUR_S = 86400.0, 3600.0
_OLD_S, _NEW_S, _NEW_FOR_S = 1200.0, 600.0, 2 * _DAY_S
"""Between readings, and in the last days, so that no chart has gaps where the fleet goes on."""
_EACH = 2  # readings of a message
_MOST = 24
_BURST = 5
_REFILL_BELOW, _REFILL_TO, _FULL = 0.28, 0.94, 0.97
_WAIT_S = (0.5 * _HOUR_S, 3.0 * _HOUR_S)
_AWAKE_H = (7, 21)
_PUMP_S, _FEAST_S = 840.0, 3 * _HOUR_S
_STEER_S, _STEER_EVERY_S = 24 * _HOUR_S, _HOUR_S
_CLOSE_L = 15.0
_OUTAGE = (16.0 * _DAY_S, 5.0 * _HOUR_S)  # before the end, and how long


@dataclass(slots=True)
class _Moment:
    now: float


@dataclass(slots=True)
class _Board:
    device: str
    key: bytes
    world: World
    target_l: float
    random: Random
    era: str = field(default_factory=lambda: "".join(secrets.choice(_ALPHABET) for _ in range(8)))
    seq: int = 0
    prev: bytes = b""
    unsent: list[tuple[float, dict[str, int | None]]] = field(
        default_factory=list[tuple[float, dict[str, int | None]]]
    )
    refill_at: float | None = None
    is_steered: bool = False
    steered_at: float = 0.0


class History:
    """The boards of a fleet plan from ``start`` to ``end``."""

    def __init__(self, plan: dict[str, Any], start: float, end: float) -> None:
        self._moment = _Moment(start)
        self._start, self._end = start, end
        self.boards = [self._board(i, given) for i, given in enumerate(plan["boards"])]
        last = self.boards[-1].world.uplink
        self._out = {b.device for b in self.boards if b.world.uplink == last}

    def _board(self, index: int, given: dict[str, Any]) -> _Board:
        # Mains: the fleet's own charge begins with it.
        model = model_of({**given.get("model", {}), "solar": False})
        world = World(model, lambda: self._moment.now, f"history {index}")
        random = Random(f"volunteers {index}")  # noqa: S311 - when a van comes, no secret
        return _Board(given["device"], bytes.fromhex(given["key"]), world, model.level_l, random)

    def lines(self) -> "list[str]":
        """All lines, in the order of time."""
        waiting = [(self._start + 60.0 + 7.0 * i, i) for i in range(len(self.boards))]
        found: list[str] = []
        while waiting and waiting[0][0] < self._end:
            at, index = heapq.heappop(waiting)
            self._moment.now = at
            found += self._wake(self.boards[index])
            every_s = _NEW_S if at > self._end - _NEW_FOR_S else _OLD_S
            heapq.heappush(waiting, (at + every_s, index))
        self._moment.now = self._end
        return found

    def levels(self) -> dict[str, float]:
        """Litres at the end, by device."""
        return {board.device: round(board.world.volume_l, 1) for board in self.boards}

    def _wake(self, board: _Board) -> list[str]:
        self._volunteers(board)
        board.unsent.append((self._moment.now, _reading(board.world)))
        if len(board.unsent) < _EACH or self._is_out(board):
            return []
        parts = [board.unsent[i : i + _MOST] for i in range(0, len(board.unsent), _MOST)]
        board.unsent = []
        return [self._line(board, part) for part in parts]

    def _is_out(self, board: _Board) -> bool:
        begin = self._end - _OUTAGE[0]
        return board.device in self._out and begin <= self._moment.now < begin + _OUTAGE[1]

    # Water

    def _volunteers(self, board: _Board) -> None:
        now, world = self._moment.now, board.world
        hour = (now + LOCAL_OFFSET_S) % _DAY_S / _HOUR_S
        if not _AWAKE_H[0] <= hour < _AWAKE_H[1]:
            return
        if now > self._end - _STEER_S and not board.is_steered:
            self._steer(board)
        if board.is_steered:
            return
        capacity = world.model.capacity_l
        if board.refill_at is None and world.volume_l < _REFILL_BELOW * capacity:
            board.refill_at = now + board.random.uniform(*_WAIT_S)
        elif board.refill_at is not None and now >= board.refill_at:
            board.refill_at = None
            world.refill(_REFILL_TO * capacity - world.volume_l, _PUMP_S)

    def _steer(self, board: _Board) -> None:
        """Refill, or draw more, so that the level at the end is the one that the fleet has."""
        now, world = self._moment.now, board.world
        if now < board.steered_at + _STEER_EVERY_S:
            return
        board.steered_at = now
        litres = 0.0
        for _ in range(3):  # people draw more where there is more
            litres += board.target_l - self._level_at_end(world, litres)
        if abs(litres) < _CLOSE_L:
            board.is_steered = True
        elif litres < 0 or world.volume_l + litres <= _FULL * world.model.capacity_l:
            world.refill(litres, _PUMP_S if litres > 0 else _FEAST_S)
            board.is_steered = True

    def _level_at_end(self, world: World, litres: float) -> float:
        trial, now = copy.deepcopy(world), self._moment.now
        trial.refill(litres, _PUMP_S if litres > 0 else _FEAST_S)
        level = 0.0
        while self._moment.now < self._end:  # by the hour: a vessel looks at all flows of a step
            self._moment.now = min(self._moment.now + _HOUR_S, self._end)
            level = trial.volume_l
        self._moment.now = now
        return level

    # Messages

    def _line(self, board: _Board, part: list[tuple[float, dict[str, int | None]]]) -> str:
        sealed = int(self._moment.now)
        up, board.seq = sealed - int(self._start) + 1, board.seq + 1
        every_s = _NEW_S if sealed > self._end - _NEW_FOR_S else _OLD_S
        message: dict[str, object] = {
            "v": 1, "fw": _FIRMWARE, "era": board.era, "boot": 1, "seq": board.seq,
            "prev": _text(board.prev), "up": up, "t": sealed, "ts": "ntp", "ta": up,
            "next": int(_EACH * every_s), "old": [1, 1], "mv": board.world.battery_mv,
            "rssi": board.world.rssi_dbm,
            "r": [{"o": sealed - int(at), **reading} for at, reading in part],
        }  # fmt: skip
        text = json.dumps(message, separators=(",", ":"))
        topic = f"noria/1/{board.device}/up"
        mac = hmac.digest(board.key, f"{topic}\n{text}".encode(), "sha256")
        board.prev = hashlib.sha256(text.encode()).digest()[:16]
        line = {"received": sealed + 2, "topic": topic, "payload": f"{text}\n{_text(mac)}"}
        return json.dumps(line)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _reading(world: World) -> dict[str, int | None]:
    """One burst, as the firmware sums it up: median, spread and valid samples."""
    if world.model.kind == "station":
        noise = world.random.gauss(0.0, 15.0)
        return {"g": round(scale_g(world) + noise), "sp": 40, "n": _BURST, "of": _BURST}
    valid = [mm for mm in (echo_mm(world) for _ in range(_BURST)) if mm is not None]
    air = round(world.air_c * 10)
    if len(valid) < 3:
        return {"mm": None, "n": len(valid), "of": _BURST, "tc": air}
    mm = statistics.median_low(valid)
    spread = 1.4826 * statistics.median(abs(one - mm) for one in valid)
    return {"mm": mm, "sp": round(spread), "n": len(valid), "of": _BURST, "tc": air}


class _Image:
    """A blank flash image in memory, with what the firmware's ring asks of a partition."""

    def __init__(self, size: int) -> None:
        self.bytes = bytearray(b"\xff" * size)

    def readblocks(self, block: int, data: bytearray, offset: int = 0) -> None:
        """Fill ``data``."""
        begin = block * rom.SECTOR + offset
        data[:] = self.bytes[begin : begin + len(data)]

    def writeblocks(self, block: int, data: bytes, offset: int = 0) -> None:
        """Write into erased bytes."""
        begin = block * rom.SECTOR + offset
        self.bytes[begin : begin + len(data)] = data

    def ioctl(self, operation: int, argument: int) -> int:
        """4: number of blocks; 6: erase block ``argument``."""
        if operation == 6:
            begin = argument * rom.SECTOR
            self.bytes[begin : begin + rom.SECTOR] = b"\xff" * rom.SECTOR
        return len(self.bytes) // rom.SECTOR


def leave_flash(board: _Board, folder: Path) -> None:
    """Write the ring of a board that sealed these messages, all of them acknowledged."""
    for path in (str(filesystem.DEVICE), str(SHIMS / "cpython")):
        if path not in sys.path:
            sys.path.insert(0, path)
    ring: Any = importlib.import_module("node.storage.ring")
    queue: Any = importlib.import_module("node.storage.queue")
    image = _Image(rom.partitions(None)["ring"][1])
    made = queue.Queue(ring.Ring(image), _FIRMWARE)
    state = made.state
    state.era, state.boot, state.seq = board.era.encode(), 1, board.seq
    state.prev, state.chained = board.prev, 1
    made.save()
    place = folder / board.device
    place.mkdir(parents=True, exist_ok=True)
    (place / "ring.bin").write_bytes(image.bytes)


def main() -> None:
    """Print the history of a fleet, and leave its boards' flash."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fleet", type=Path, required=True, help="fleet.json")
    parser.add_argument("--data", type=Path, required=True, help="flash folders")
    parser.add_argument("--start", type=float, required=True, help="Unix s")
    parser.add_argument("--end", type=float, required=True, help="Unix s")
    given = parser.parse_args()
    history = History(load(given.fleet), given.start, given.end)
    sys.stdout.writelines(f"{line}\n" for line in history.lines())
    for board in history.boards:
        leave_flash(board, given.data)
    print(json.dumps({"levels": history.levels()}))


if __name__ == "__main__":
    main()

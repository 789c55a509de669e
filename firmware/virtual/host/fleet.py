"""Many boards in one process: built from fleet.json, started in turn, driven by commands."""

import asyncio
import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from firmware.virtual.host import apt, filesystem, interpreter, pins, rom
from firmware.virtual.host.board import Board, Event, Setup, State
from firmware.virtual.host.interpreter import Interpreter
from firmware.virtual.host.rom import Rom
from firmware.virtual.host.scaled import ScaledClock
from firmware.virtual.host.world import Model, World

_STAGGER_S = 0.05
"""Real seconds between two boards' first boots; fewer where many boards would take too long."""
_ALL_STARTED_S = 4.0


class FleetError(Exception):
    """The fleet cannot be built, or a command failed; the message has the reason."""


class Fleet:
    """Boards by device id. ``emit`` receives every event of every board.

    Use as ``async with``: entering powers the boards on, leaving ends every process it started.
    """

    def __init__(self, plan: dict[str, Any], folder: Path, emit: Callable[[Event], None]) -> None:
        speed = float(plan.get("speed", 1))
        self.clock = ScaledClock(speed, float(plan.get("origin") or time.time()))
        self.interpreter = choose(plan.get("interpreter", "auto"))
        self.boards: dict[str, Board] = {}
        self._emit = emit
        self._out: set[str] = set()
        self._folder = folder
        self._firmware = Path(plan.get("firmware") or filesystem.DEVICE)
        self._files = self._firmware
        self._rom = self._built(plan)
        self._start_within_s = float(plan.get("start_within_s", _ALL_STARTED_S))
        self._heap: str | None = plan.get("heap", "320K")
        self._watchdog_s: float | None = plan.get("watchdog_s")
        self._starts: list[asyncio.TimerHandle] = []
        self._board_file: str | None = plan.get("board_file")
        self._weigh = bool(plan.get("weigh"))
        for given in plan.get("boards", []):
            self._add(given)

    def _built(self, plan: dict[str, Any]) -> Rom | None:
        """The image that the boards run in place; ``rom`` asks for a blank partition instead.

        ``compiled`` = ``files``: no partition, the compiled modules are files.
        """
        if plan.get("compiled") == "files":
            self._files = rom.files(self._firmware, self._folder / "compiled" / "files")
            return rom.made(self.interpreter, None, self._folder / "compiled", partition=False)
        if not (plan.get("compiled") or plan.get("rom")):
            return None
        firmware = self._firmware if plan.get("compiled") else None
        return rom.made(self.interpreter, firmware, self._folder / "compiled")

    def _add(self, given: dict[str, Any]) -> None:
        device = given.get("device")
        if not isinstance(device, str) or device in self.boards:
            raise FleetError(f"board {device!r}: each needs a device id of its own")
        config: dict[str, Any] = {**given.get("config", {}), "device": device}
        if "key" in given:
            config["key"] = given["key"]
        root = filesystem.lay_out(self._folder / device, config, self._files, self._rom)
        world = World(model_of(given.get("model", {})), self.clock.now, device)
        table = self._table(config.get("board", "firebeetle"))
        setup = Setup(
            device, root, config, table, self.interpreter, self.clock, self._heap,
            self._watchdog_s, self._rom, self._weigh,
        )  # fmt: skip
        self.boards[device] = Board(setup, world, lambda: self._online(world), self._emit)

    def _table(self, board: str) -> dict[str, int]:
        path = Path(self._board_file or self._firmware / f"board/{board}.py")
        if not path.is_file():
            raise FleetError(f"board {board!r}: there is no {path}")
        return pins.read(path)

    async def __aenter__(self) -> "Fleet":
        loop = asyncio.get_running_loop()
        step_s = self._start_within_s / max(len(self.boards), 1)
        if self._start_within_s == _ALL_STARTED_S:
            step_s = min(step_s, _STAGGER_S)
        for order, board in enumerate(self.boards.values()):
            self._starts.append(loop.call_later(order * step_s, board.power_on))
        return self

    async def __aexit__(self, *_: object) -> None:
        for start in self._starts:
            start.cancel()
        for board in self.boards.values():
            board.power_off()

    # Commands of stories.

    def network_out(self, uplink: str) -> None:
        """An uplink fails: no board behind it connects."""
        self._known(uplink)
        self._out.add(uplink)

    def network_back(self, uplink: str) -> None:
        """It works again."""
        self._known(uplink)
        self._out.discard(uplink)

    def state(self) -> list[dict[str, Any]]:
        """Every board and its water, for a page or a test."""
        return [_summary(device, board) for device, board in self.boards.items()]

    def _online(self, world: World) -> bool:
        return world.uplink not in self._out

    def _known(self, uplink: str) -> None:
        known = {board.world.uplink for board in self.boards.values()}
        if uplink not in known:
            raise FleetError(f"uplink {uplink!r} is no board's: one of {sorted(known)}")


def model_of(given: dict[str, Any]) -> Model:
    """A :class:`Model` from fleet.json. Raises FleetError for a name that it does not have."""
    known = {field.name for field in dataclasses.fields(Model)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise FleetError(f"model has no {', '.join(unknown)}: it knows {', '.join(sorted(known))}")
    if given.get("kind") == "station":
        given = {"capacity_l": 240.0, "level_l": 160.0, **given}
    return Model(**given)


def choose(wanted: str) -> Interpreter:
    """The interpreter by name: ``micropython`` (fetched if need be), ``cpython``, ``auto``, or
    ``micropython-i386``, whose words are 32 bits as the chip's.

    ``auto`` takes MicroPython where it is or can be had, else CPython. Raises FleetError.
    """
    if wanted == "cpython":
        return interpreter.cpython()
    if wanted not in ("auto", "micropython", "micropython-i386"):
        raise FleetError(f"interpreter {wanted!r}: auto, micropython, micropython-i386 or cpython")
    find = interpreter.find_32_bit if wanted == "micropython-i386" else interpreter.find
    try:
        found = find(fetch=True)
    except (apt.FetchError, ValueError) as error:
        if wanted != "auto":
            raise FleetError(str(error)) from error
        found = None
    if found is None and wanted != "auto":
        raise FleetError("MicroPython was not found and cannot be fetched on this machine")
    return found or interpreter.cpython()


def load(path: Path) -> dict[str, Any]:
    """A fleet.json. Raises FleetError naming the file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FleetError(f"{path}: {error}") from error


def _summary(device: str, board: Board) -> dict[str, Any]:
    world = board.world
    return {
        "device": device,
        "state": board.state.value,
        "wakes": board.wakes,
        "volume_l": round(world.volume_l, 1),
        "level_mm": round(world.level_mm, 1),
        "battery_mv": world.battery_mv,
        "moving": world.moving,
        "tilt_deg": world.tilt_deg,
        "reachable": board.state is not State.OFF and world.in_range,
    }

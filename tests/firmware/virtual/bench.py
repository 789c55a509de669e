"""Runs a script as main.py on one virtual board and collects what it printed and did."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from firmware.virtual.host.board import Board, Event
from firmware.virtual.host.fleet import Fleet

PINS = Path(__file__).parents[3] / "firmware/device/board/firebeetle.py"
DEADLINE_S = 90.0

Act = Callable[[Fleet, Board], None]


class Bench:
    """A board of its own in ``folder``. ``play`` may be called again: the flash is kept."""

    def __init__(self, folder: Path, interpreter: str, model: dict[str, Any] | None = None) -> None:
        self.events: list[Event] = []
        self.speed = 500.0
        self.config: dict[str, Any] = {}
        self.cut_after: int | None = None
        self._folder = folder
        self._interpreter = interpreter
        self._model = model or {}
        self._firmware = folder / "firmware"
        self._firmware.mkdir(parents=True)

    def play(self, main: str, until: int = 1, boot: str = "", act: Act | None = None) -> list[str]:
        """The lines printed until ``until`` boots ended. ``act`` is called after the first end."""
        (self._firmware / "main.py").write_text(main)
        (self._firmware / "boot.py").write_text(boot)
        console = self._folder / "boards/bench2/console.log"
        console.unlink(missing_ok=True)
        self.events = []
        asyncio.run(self._play(until, act))
        return console.read_text().splitlines()

    def names(self) -> list[str]:
        """Names of the events, in order."""
        return [event["event"] for event in self.events]

    async def _play(self, until: int, act: Act | None) -> None:
        ended = asyncio.Event()
        acts = [act] if act else []

        def on_event(event: Event) -> None:
            self.events.append(event)
            if event["event"] == "wake":
                return
            if acts:
                asyncio.get_running_loop().call_soon(acts.pop(), fleet, fleet.boards["bench2"])
            if sum(name != "wake" for name in self.names()) >= until:
                ended.set()

        plan = {
            "speed": self.speed,
            "interpreter": self._interpreter,
            "firmware": str(self._firmware),
            "board_file": str(PINS),
            "boards": [{"device": "bench2", "config": self.config, "model": self._model}],
        }
        fleet = Fleet(plan, self._folder / "boards", on_event)
        fleet.boards["bench2"].cut_after = self.cut_after
        async with fleet:
            await asyncio.wait_for(ended.wait(), DEADLINE_S)

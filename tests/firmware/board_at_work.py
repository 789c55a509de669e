"""One virtual board with the real firmware, in a thread of its own, at a speed of the test's."""

import asyncio
import contextlib
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

from firmware.virtual.host import story
from firmware.virtual.host.fleet import Fleet

DEVICE = "k7f3q5"
KEY = bytes(range(32))
UPLINK = "site"


class Work:
    """A running board: its events, its console, and commands for it."""

    def __init__(self, plan: dict[str, Any], folder: Path) -> None:
        self.events: list[dict[str, Any]] = []
        self._plan = plan
        self._folder = folder
        self.loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.fleet: Fleet

    def start(self) -> None:
        """Power on; raises the error that kept the fleet from starting."""
        self._thread.start()
        self._ready.wait(60)
        if self._failed is not None:
            raise self._failed

    def stop(self) -> None:
        """Power off; no process of it is left."""
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)

    def do(self, word: str, **arguments: Any) -> object:
        """Do one command of ``story.py`` and return its value."""
        command = {"do": word, **arguments}
        if word not in ("network_out", "network_back", "state"):
            command["device"] = DEVICE

        async def done() -> object:
            return story.do(self.fleet, command)

        return asyncio.run_coroutine_threadsafe(done(), self.loop).result(20)

    @property
    def wakes(self) -> int:
        """Boots so far, wakes from deep sleep included."""
        return self.fleet.boards[DEVICE].wakes

    @property
    def console(self) -> str:
        """What the board printed."""
        log = self._folder / DEVICE / "console.log"
        return log.read_text(encoding="utf-8") if log.exists() else ""

    def count(self, event: str) -> int:
        """How many events of that name the host emitted."""
        return sum(1 for emitted in self.events if emitted["event"] == event)

    def _run(self) -> None:
        with contextlib.closing(self.loop):
            self.loop.run_until_complete(self._live())

    async def _live(self) -> None:
        try:
            self.fleet = Fleet(self._plan, self._folder, self.events.append)
        except BaseException as error:
            self._failed = error
            raise
        finally:
            self._ready.set()
        async with self.fleet:
            await self._stop.wait()


@contextlib.contextmanager
def board(
    folder: Path,
    port: int,
    *,
    speed: float = 1200,
    interpreter: str = "micropython",
    model: dict[str, Any] | None = None,
    compiled: bool | str = False,
    plan: dict[str, Any] | None = None,
    **config: Any,
) -> Generator[Work]:
    """A board whose broker is at ``port``; more keywords go into its config.json.

    ``plan`` has the other members of fleet.json.
    """
    settings = {
        "wifi": [{"ssid": "site", "password": "a password"}],
        "broker": {"host": "127.0.0.1", "port": port},
        "interval_s": 600,
        "report_s": 900,
        **config,
    }
    one = {
        "device": DEVICE,
        "key": KEY.hex(),
        "config": settings,
        "model": {"uplink": UPLINK, "spike_share": 0.0, **(model or {})},
    }
    fleet = {
        "speed": speed, "interpreter": interpreter, "compiled": compiled, "boards": [one],
        **(plan or {}),
    }  # fmt: skip
    work = Work(fleet, folder)
    work.start()
    try:
        yield work
    finally:
        work.stop()

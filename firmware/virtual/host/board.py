"""One board's life: power, boots, deep sleep and what ends it, the watchdog, torn writes."""

import asyncio
import hashlib
import os
import pty
import tty
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware.virtual.host.causes import Reset, State, Wake
from firmware.virtual.host.chip import Call, Chip
from firmware.virtual.host.energy import CLASSES, Meter
from firmware.virtual.host.interpreter import Interpreter
from firmware.virtual.host.process import HALTED, Process, console_tail
from firmware.virtual.host.rom import Rom, partitions
from firmware.virtual.host.scaled import ScaledClock
from firmware.virtual.host.world import World

_EPOCH_2000 = 946684800
_AGAIN_S = 0.02  # real seconds from a reset to the next boot; a real chip takes about 300 ms

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Setup:
    """The parts of a board. ``root`` is its file system; flash images are beside it."""

    device: str
    root: Path
    config: dict[str, Any]
    pins: dict[str, int]
    interpreter: Interpreter
    clock: ScaledClock
    heap: str | None = "320K"
    watchdog_s: float | None = None
    """Upper limit of the watchdog's time in real seconds, so that tests of hangs are short."""
    rom: Rom | None = None  # the images that its interpreter runs in place; None: no ROMFS
    weigh: bool = False  # collect garbage at every call of the chip, and report the live heap


class Board:
    """A board on its world. Methods are called from the event loop that runs the fleet.

    ``emit`` receives each event: ``wake``, ``sleep``, ``reset``, ``stuck``, ``crash``, ``dark``.
    """

    def __init__(
        self, setup: Setup, world: World, network: Callable[[], bool], emit: Callable[[Event], None]
    ) -> None:
        self.setup = setup
        self.world = world
        self.state = State.OFF
        self.wakes = 0
        self.cut_after: int | None = None  # flash bytes of the next boot until the power fails
        self.heap_live = 0  # bytes at most, where it weighs
        self.storm: dict[str, Any] | None = None  # seed, parts, share: shims/_storm.py
        self.chip = Chip(world, setup.config, network)
        kind = setup.config.get("board", "firebeetle")
        self.meter = Meter(CLASSES[kind], tls="ca" in (setup.config.get("broker") or {}))
        self._process = Process(self._call, self._ended)
        self._emit = emit
        self._roles = {number: role for role, number in setup.pins.items()}
        self._rtc_memory = ""
        self._offset_s = 0.0
        self._wake_pins: tuple[list[int], int] = ([], 1)
        self._wake_pin: list[int] | None = None
        self._slept_at = 0.0
        self._watchdog_s: float | None = None
        self._wake_timer: asyncio.TimerHandle | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self._world_timer: asyncio.TimerHandle | None = None
        world.on_change = self._world_changed

    def power_on(self) -> None:
        """Connect the cell. The clock starts in 2000 and RTC memory is empty."""
        self.chip.power_on()
        self._rtc_memory = ""
        self._offset_s = _EPOCH_2000 - self.world.now
        self._start(Reset.POWER_ON, Wake.NONE)

    def power_off(self) -> None:
        """Take the cell out, even in the middle of a boot."""
        self._cancel_timers()
        self._process.kill()
        self.state = State.OFF

    def erase_ring(self) -> None:
        """Erase the ring while the cell is out; then power on again."""
        self._lose("ring.bin")

    def lose_nvs(self) -> None:
        """Erase NVS while the cell is out, and keep the ring; then power on again."""
        self._lose("nvs-*.json")

    def _lose(self, pattern: str) -> None:
        self.power_off()
        for image in self.setup.root.parent.glob(pattern):
            image.unlink()
        self.power_on()

    def press_reset(self, cause: Reset = Reset.HARD) -> None:
        """Reset; RTC memory and clock are kept."""
        self._start(cause, Wake.NONE)

    def plug_in(self) -> str:
        """Connect a cable and stop the program; the path of the port, until ``power_off``."""
        master, slave = pty.openpty()
        try:
            tty.setraw(slave)
            path = os.ttyname(slave)
            self._start(Reset.HARD, Wake.NONE, master)
        finally:
            os.close(master)  # the board has its own descriptor
            os.close(slave)
        return path

    # One boot.

    def _start(self, reset: Reset, wake: Wake, cable: int | None = None) -> None:
        self._cancel_timers()
        self._process.kill()  # a boot that still runs, or is ending
        if not self.world.powered:
            return self._dark()
        self.state = State.AWAKE
        self.wakes += 1
        self.chip.start()
        self._emit(self._event("wake", n=self.wakes, cause=reset.name.lower(), by=wake.name))
        setup, greeting = self.setup, self._greeting(reset, wake)
        self._process.start(setup.interpreter, setup.root, setup.heap, greeting, cable, setup.rom)
        self.cut_after = None

    def _greeting(self, reset: Reset, wake: Wake) -> dict[str, Any]:
        return {
            "speed": self.setup.clock.speed,
            "origin": self.setup.clock.origin,
            "offset_s": self._offset_s,
            "reset_cause": int(reset),
            "wake_reason": int(wake),
            "rtc_memory": self._rtc_memory,
            "unique_id": hashlib.sha256(self.setup.device.encode()).hexdigest()[:12],
            "pins": {str(number): role for number, role in self._roles.items()},
            "pin_us": self.world.model.pin_us,
            "partitions": partitions(self.setup.rom),
            "cut": self.cut_after,
            "weigh": self.setup.weigh,
        } | ({"storm": {**self.storm, "boot": self.wakes}} if self.storm else {})

    def _call(self, call: Call) -> dict[str, Any]:
        self.heap_live = max(self.heap_live, call.pop("heap", 0))
        if not self.world.powered:
            self._dark()
            return {}
        handler = getattr(self, f"_op_{call['op']}", None)
        if handler is not None:
            handler(call)
            return {}
        try:
            value = self.chip.answer(call)
        except OSError as error:
            return {"errno": error.errno}
        self.meter.record(call, value)
        return {"value": value}

    def _ended(self, code: int) -> None:
        """The process ended, which is expected after its last call only."""
        if self.state is State.AWAKE:
            self._emit(self._event("crash", code=code, console=console_tail(self.setup.root)))
            self._again(Reset.HARD)  # as the chip's panic handler does
        elif code != HALTED and self.state is not State.OFF:
            self._emit(self._event("crash", code=code, console=console_tail(self.setup.root)))

    def _op_deepsleep(self, call: Call) -> None:
        sleep_s = call["sleep_ms"] / 1000.0
        self._wake_pins = (call["pins"], call["level"])
        self._wake_pin = call["ext0"]
        self._slept_at = self.world.now
        self._spend(call["ms"])
        self._cancel_timers()
        self.state = State.ASLEEP
        self._emit(self._event("sleep", s=sleep_s))
        if sleep_s > 0:  # without a time the chip sleeps until a pin wakes it
            # The sleep timer runs on the same slow clock that drifts.
            late = 1.0 + self.world.model.drift_ppm / 1e6
            real_s = max(self.setup.clock.real_s(sleep_s * late), _AGAIN_S)
            self._wake_timer = self._later(real_s, lambda: self._wake(Wake.TIMER))
        self._world_changed()

    def _op_reset(self, call: Call) -> None:
        self._emit(self._event("reset", cause=Reset(call["cause"]).name.lower()))
        self._spend(call["ms"])
        self._again(Reset(call["cause"]))

    def _op_power_lost(self, call: Call) -> None:
        self._emit(self._event("torn", at=call["ms"]))
        self._spend(call["ms"])
        self._cancel_timers()
        self.state = State.OFF
        self._wake_timer = self._later(_AGAIN_S, self.power_on)

    def _op_prompt(self, call: Call) -> None:
        self.state = State.STUCK
        self._emit(self._event("stuck", console=console_tail(self.setup.root)))

    def _op_wdt(self, call: Call) -> None:
        asked_s = call["timeout_ms"] / 1000.0
        self._watchdog_s = min(asked_s, self.setup.watchdog_s or asked_s)
        self._op_wdt_feed(call)

    def _op_wdt_feed(self, call: Call) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
        if self._watchdog_s is not None:
            self._watchdog = self._later(self._watchdog_s, self._bite)

    def _op_clock(self, call: Call) -> None:
        self._offset_s = call["offset_s"]

    def _op_rtc_memory(self, call: Call) -> None:
        self._rtc_memory = call["data"]

    def _spend(self, at_ms: int | None = None) -> None:
        """A wake is over: subtract its charge from the cell."""
        before_mah = self.meter.mah
        self.meter.awake(at_ms)
        self.world.spend(self.meter.mah - before_mah)

    # What ends a boot, or a sleep.

    def _bite(self) -> None:
        self._emit(self._event("watchdog"))
        self._spend()
        self.press_reset(Reset.WATCHDOG)

    def _again(self, cause: Reset) -> None:
        self._cancel_timers()
        self.state = State.ASLEEP
        self._wake_pins, self._wake_pin = ([], 1), None
        self._wake_timer = self._later(_AGAIN_S, lambda: self._start(cause, Wake.NONE))

    def _wake(self, reason: Wake) -> None:
        slept_s = self.world.now - self._slept_at
        before_mah = self.meter.mah
        self.meter.asleep(slept_s)
        self.world.spend(self.meter.mah - before_mah)
        self._offset_s += slept_s * self.world.model.drift_ppm / 1e6
        self._start(Reset.DEEP_SLEEP, reason)

    def _world_changed(self) -> None:
        """The world changed: check power and wake pins, now and at the next planned change."""
        if self._world_timer is not None:
            self._world_timer.cancel()
            self._world_timer = None
        if not self.world.powered:
            self._dark()
            return
        if self.state is State.OFF and self.wakes and self._wake_timer is None:
            self.power_on()
        elif self.state is State.ASLEEP and (reason := self._pins_wake()):
            self._cancel_timers()
            self._wake_timer = self._later(_AGAIN_S, lambda: self._wake(reason))
        change = self.world.next_change
        if change is not None:
            real_s = self.setup.clock.real_s(change - self.world.now)
            self._world_timer = self._later(max(real_s, 0.001), self._world_changed)

    def _pins_wake(self) -> Wake:
        """Which pins end the sleep now; NONE is false."""
        if self._wake_pin is not None and self._level(self._wake_pin[0]) == self._wake_pin[1]:
            return Wake.EXT0
        numbers, level = self._wake_pins
        levels = [self._level(number) for number in numbers]
        woken = any(levels) if level else not any(levels)
        return Wake.EXT1 if levels and woken else Wake.NONE

    def _level(self, number: int) -> int:
        return self.chip.pin_level(self._roles.get(number, ""))

    def _dark(self) -> None:
        if self.state is not State.OFF:
            self._emit(self._event("dark"))
        self.power_off()

    # Timers and events.

    def _later(self, real_s: float, act: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(real_s, act)

    def _cancel_timers(self) -> None:
        for timer in (self._wake_timer, self._watchdog):
            if timer is not None:
                timer.cancel()
        self._wake_timer = self._watchdog = None
        self._watchdog_s = None

    def _event(self, name: str, **fields: Any) -> Event:
        return {"event": name, "device": self.setup.device, "at": self.world.now, **fields}

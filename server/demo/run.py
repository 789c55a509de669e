"""Sets up the demo, runs its story, and deletes its folder."""

import contextlib
import json
import secrets
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway import settings as settings_module
from gateway.alerts.channels import log
from gateway.database.engine import open_database
from gateway.errors import NoriaError
from gateway.registry import rows
from gateway.runtime.clock import Clock
from gateway.settings import Settings
from server import config_file
from server.accounts import demo, people
from server.demo import history, pace, place
from server.demo.programs import Child, python
from server.demo.story import Story

_READY_S = 60.0
_BEGINS = "11:30"
"""The local time of the demo's start: people draw water at this hour."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo. ``link`` signs the visitor in."""

    settings: Settings
    clock: Clock
    link: str
    story: Story
    children: tuple[Child, ...]

    def ended_early(self) -> str | None:
        """The name of a child that has ended; None while all run."""
        return next((c.name for c in self.children if c.ended is not None), None)


@contextlib.contextmanager
def running(
    *,
    report: Callable[[str], None],
    speed: float = 120.0,
    port: int = 8080,
    interpreter: str = "auto",
    count: int = len(place.SPOTS),
    keep: bool = False,
    past_s: float = history.LASTS_S,
    more: Mapping[str, object] | None = None,
) -> Generator[Demo]:
    """Run the demo inside the block, in a temporary folder; end it and delete the folder after.

    ``report`` receives a sentence for each step. ``past_s``: how much history the story's twelve
    tanks have; many nodes have none. ``more`` has further settings, for example of
    InfluxDB. Raises NoriaError with the path of a log when a part does not start.
    """
    folder = Path(tempfile.mkdtemp(prefix="noria-demo-"))
    children: list[Child] = []
    try:
        if count > len(place.SPOTS):
            speed = _paced(speed, count, interpreter, report)
        settings = _configure(folder, speed=speed, port=port, more=more or {})
        nodes = place.nodes(count)
        begins, levels = begins_at(speed, time.time()), dict[str, float]()
        past_s = past_s if count == len(place.SPOTS) else 0.0
        volunteer = _register(settings, nodes, begins - past_s)
        if past_s:
            report(f"Making {past_s / 86400:.0f} days of history ...")
            fleet = _write_fleet(settings, folder, nodes, interpreter, {})
            levels = history.make(
                settings, fleet, folder / "flash", (begins - past_s, begins), report
            )
            # The clock begins now, and a port that was free may be taken.
            settings = _configure(folder, speed=speed, port=port, more=more or {})
        if not settings.server_listen.endswith(f":{port}"):
            report(f"Port {port} is busy; the page is on {settings.server_listen}.")
        clock = Clock(settings.clock_speed, settings.clock_origin)
        _write_fleet(settings, folder, nodes, interpreter, levels)
        report("Starting broker, gateway and server ...")
        children.append(_start_programs(settings, folder, report))
        report("Starting the virtual boards ...")
        children.append(_start_fleet(folder, report))
        story = Story(
            settings,
            clock,
            volunteer=volunteer,
            nodes=nodes,
            control=children[1].send,
            report=report,
        )
        link = f"http://{settings.server_listen}/enter/{settings.demo_code}"
        yield Demo(settings, clock, link, story, tuple(children))
    except NoriaError:
        keep = True
        raise
    finally:
        report("Ending everything ...")
        for child in reversed(children):
            child.end()
        if keep:
            report(f"Kept for a look: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _paced(speed: float, count: int, interpreter: str, report: Callable[[str], None]) -> float:
    wakes_s = pace.measure_wakes_s(interpreter)
    feasible = pace.feasible_speed(speed, count, place.interval_s(count), wakes_s)
    if feasible < speed:
        report(
            f"{count} nodes at {speed:g} times are more than this machine carries now "
            f"({wakes_s:.0f} wakes/s): time runs {feasible:g} times as fast."
        )
    return feasible


def _configure(folder: Path, *, speed: float, port: int, more: Mapping[str, object]) -> Settings:
    """Write the settings, with free ports and a clock that begins at this moment."""
    address = f"127.0.0.1:{_free_port(port)}"
    given: dict[str, object] = {
        "gateway_id": "demo",
        "witness": ".",  # deleted with the demo's folder
        "broker_listen": f"127.0.0.1:{_free_port(0)}",
        "server_listen": address,
        "public_url": f"http://{address}",
        "channels": ["log-names"],
        "log_format": "json",
        "clock_speed": float(speed),
        "clock_origin": _origin(speed, time.time()),
        "demo_code": secrets.token_urlsafe(18),
        **more,
    }
    path = folder / "noria.toml"
    path.unlink(missing_ok=True)
    config_file.write(path, given)
    return settings_module.read(path)


def _origin(speed: float, real_now: float) -> float:
    """The origin with which the fast clock shows ``_BEGINS`` now; 0 at speed 1.

    From ``now = origin + (real - origin) * speed``, solved for the origin.
    """
    if speed == 1.0:
        return 0.0
    return (real_now * speed - begins_at(speed, real_now)) / (speed - 1.0)


def begins_at(speed: float, real_now: float) -> float:
    """When the demo begins (Unix s): today at ``_BEGINS``, or now at speed 1."""
    if speed == 1.0:
        return real_now
    hour, minute = (int(part) for part in _BEGINS.split(":"))
    local = datetime.fromtimestamp(real_now, ZoneInfo("Europe/Paris"))
    return local.replace(hour=hour, minute=minute, second=0, microsecond=0).timestamp()


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise NoriaError("no free port on 127.0.0.1: end a program that listens, then try again")


def _register(settings: Settings, nodes: list[place.Node], since: float) -> str:
    """Store registry and volunteer in the database as at ``since`` (Unix s); returns her id."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = open_database(settings)
    with engine.begin() as connection:
        rows.put(connection, place.registry(nodes), since)
    van = people.add(engine, "Van 2", "volunteer", people.draw_password(), since)
    engine.dispose()
    return van.id


def logged(line: str) -> tuple[str, str]:
    """Logger and text of a line of the gateway's log (``log_format`` json); else ("", line)."""
    begin = line.find("{")  # after a priority for journald
    try:
        given: Any = json.loads(line[begin:]) if begin >= 0 else {}
        return str(given["from"]), str(given["said"])
    except (ValueError, KeyError, TypeError):
        return "", line


def _start_programs(settings: Settings, folder: Path, report: Callable[[str], None]) -> Child:
    ready = threading.Event()

    def on_line(line: str) -> None:
        if line == "ready":
            ready.set()
            return
        logger, text = logged(line)
        if logger == log.LOGGER:
            report(f"       Alert: {text}")
        elif "trying out" in text:
            report(text)

    command = python("server.command", "up", "--config", str(settings.source))
    mark = {demo.MARK: str(settings.source)}
    child = Child("noria up", command, folder / "up.log", on_line, mark)
    _await(child, ready, folder / "up.log")
    return child


def _write_fleet(
    settings: Settings,
    folder: Path,
    nodes: list[place.Node],
    interpreter: str,
    levels: Mapping[str, float],
) -> Path:
    fleet = place.fleet(nodes, settings, interpreter=interpreter, levels=levels)
    path = folder / "fleet.json"
    path.write_text(json.dumps(fleet), "utf-8")
    return path


def _start_fleet(folder: Path, report: Callable[[str], None]) -> Child:
    ready = threading.Event()

    def on_line(line: str) -> None:
        event: dict[str, str] = json.loads(line) if line.startswith("{") else {}
        if event.get("event") == "ready":
            report(f"The nodes' firmware runs on {event.get('interpreter')}.")
            ready.set()

    command = python("firmware.virtual.host.run", *_fleet_options(folder))
    child = Child("the virtual boards", command, folder / "fleet.log", on_line)
    _await(child, ready, folder / "fleet.log")
    return child


def _fleet_options(folder: Path) -> list[str]:
    (folder / "flash").mkdir(exist_ok=True)
    return ["--fleet", str(folder / "fleet.json"), "--data", str(folder / "flash")]


def _await(child: Child, ready: threading.Event, log: Path) -> None:
    deadline = time.monotonic() + _READY_S
    while not ready.wait(0.1):
        if child.ended is not None or time.monotonic() > deadline:
            why = f"ended ({child.ended})" if child.ended is not None else "is not ready"
            tail = "\n".join(log.read_text("utf-8").splitlines()[-8:])
            child.end()
            raise NoriaError(f"{child.name} {why}. Its last words, from {log}:\n{tail}")

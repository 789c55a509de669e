"""The table of a run: what was measured, its figure, and the figure that it is compared with."""

import json
import os
import platform
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[2] / "build" / "benchmarks"
_rows: list[tuple[str, str, str]] = []


def put(what: str, figure: str, beside: str = "") -> None:
    """Add a row, print it, and write the table as far as it is known."""
    _rows.append((what, figure, beside))
    print(f"\n{what}: {figure}" + (f" ({beside})" if beside else ""), flush=True)
    _FOLDER.mkdir(parents=True, exist_ok=True)
    named = [dict(zip(("what", "figure", "beside"), row, strict=True)) for row in _rows]
    report = {"conditions": conditions(), "figures": named}
    (_FOLDER / "figures.json").write_text(json.dumps(report, indent=2), "utf-8")
    (_FOLDER / "figures.md").write_text(_markdown(report["conditions"]), "utf-8")


def write(name: str, text: str) -> None:
    """Keep something longer beside the table."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    (_FOLDER / name).write_text(text, "utf-8")


def memory_mb(pid: int) -> tuple[float, float]:
    """What a process holds: resident, and proportional (files that several map are shared out)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()
    kb = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
    return kb["Rss"] / 1024, kb["Pss"] / 1024


def cpu_s(pid: int) -> float:
    """CPU time of a process so far, s: what a busy machine does not stretch as it does the wall."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def conditions() -> dict[str, Any]:
    """What a figure depends on; a high load means that the machine had other work."""
    return {
        "when": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        "commit": _output("git", "rev-parse", "--short", "HEAD"),
        "system": platform.platform(),
        "cpus": os.cpu_count(),
        "load_1_5_15_min": [round(load, 1) for load in os.getloadavg()],
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "mosquitto": (_output("mosquitto", "-h") or "?").splitlines()[0],
        "fsync_ms_p50_p99": _fsync_ms(),
    }


def _markdown(known: dict[str, Any]) -> str:
    lines = ["| measured | figure | beside |", "|---|---|---|"]
    lines += [f"| {what} | {figure} | {beside} |" for what, figure, beside in _rows]
    lines += ["", *(f"- {name}: {value}" for name, value in known.items()), ""]
    return "\n".join(lines)


def _output(*command: str) -> str:
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin"))
    try:
        found = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
        )
    except OSError:
        return ""
    return (found.stdout or found.stderr).strip()


def _fsync_ms() -> list[float]:
    """Of 8 KB in the table's folder, 50 times."""
    taken: list[float] = []
    file = _FOLDER / "fsync"
    with file.open("wb") as out:
        for _ in range(50):
            out.write(b"x" * 8192)
            out.flush()
            begun = time.perf_counter()
            os.fsync(out.fileno())
            taken.append((time.perf_counter() - begun) * 1000)
    file.unlink()
    taken.sort()
    return [round(taken[25], 2), round(taken[49], 2)]

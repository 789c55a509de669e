"""The story of ``make demo``, end to end on real parts, from MicroPython to the alert."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from gateway.database.engine import open_database
from gateway.devices import anomalies
from server.demo import run
from tests.parts import require
from tests.parts.commands import noria as command
from tests.parts.influxdb_service import influxdb as running_influxdb

_T = TypeVar("_T")
SPEED = 120.0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[run.Demo]:
    require("mosquitto")
    require("micropython")
    require("influxd-2.9")
    with running_influxdb("2.9", tmp_path_factory.mktemp("influxdb")) as server:
        database = server.fresh()
        more = {
            "store": "influxdb",
            "influxdb_url": database.url,
            "influxdb_org": database.org,
            "influxdb_bucket": database.bucket,
            "influxdb_token": database.token,
        }
        with run.running(
            past_s=86400.0, speed=SPEED, interpreter="micropython", more=more, report=print
        ) as running:
            yield running


@pytest.fixture(scope="module")
def api(demo: run.Demo) -> Iterator[httpx.Client]:
    with httpx.Client(follow_redirects=True, timeout=10) as client:
        client.get(demo.link).raise_for_status()
        client.base_url = httpx.URL(f"http://{demo.settings.server_listen}/api/v1")
        yield client


def eventually(demo: run.Demo, found: Callable[[], _T | None], real_s: float, what: str) -> _T:
    """Continue the story until ``found`` returns something."""
    deadline = time.monotonic() + real_s
    while time.monotonic() < deadline:
        assert demo.ended_early() is None
        demo.story.turn()
        value = found()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"not within {real_s} s: {what}")


def incidents(api: httpx.Client, **wanted: Any) -> list[dict[str, Any]]:
    """Those of the story: the day of history before it has its own."""
    listed = api.get("/incidents", params={"closed": True}).raise_for_status().json()["incidents"]
    begins = run.begins_at(SPEED, time.time())
    told = [i for i in listed if i["opened"] >= begins]
    return [i for i in told if all(i.get(k) == v for k, v in wanted.items())]


def noria(demo: run.Demo, *arguments: str) -> str:
    return command(*arguments, environment={"NORIA_CONFIG": str(demo.settings.source)})


def log_of(demo: run.Demo) -> str:
    return (demo.settings.source.parent / "up.log").read_text("utf-8")


@pytest.mark.timeout(600)
def test_the_demos_story_happens_on_real_parts_and_nothing_is_lost(
    demo: run.Demo, api: httpx.Client
) -> None:
    def levels() -> list[dict[str, Any]]:
        tanks = api.get("/tanks").raise_for_status().json()["tanks"]
        return tanks if all(t["volume_l"] is not None for t in tanks) else []

    assert len(eventually(demo, levels, 60, "a level of every tank")) == 12
    low = eventually(demo, lambda: incidents(api, tank="canal-1"), 90, "canal-1 runs low")[0]
    assert low["kind"] in ("low", "critical")
    eventually(demo, lambda: "Canal 1" in log_of(demo), 20, "the alert about Canal 1")

    kill_gateway(demo)

    def refilled() -> bool:
        return bool(incidents(api, id=low["id"])[0]["closed"])

    eventually(demo, refilled, 120, "a volunteer claimed, refilled, and the incident closed")
    seized = eventually(demo, lambda: incidents(api, tank="birches-2"), 90, "birches-2 is taken")
    eventually(demo, lambda: incidents(api, tank="birches-2", kind="seized"), 60, "called seized")
    assert len(seized) == 1
    eventually(demo, lambda: incidents(api, kind="network_out"), 120, "orchard's network is out")
    assert [i for i in incidents(api) if (i["tank"] or "").startswith("orchard")] == []
    nothing_is_lost(demo)
    boards_go_on_after_their_history(demo)


def boards_go_on_after_their_history(demo: run.Demo) -> None:
    """No board began a new era, left a gap or contradicts what came before."""
    engine = open_database(demo.settings)
    marks = anomalies.by_device(engine)
    engine.dispose()
    assert {mark.what for found in marks.values() for mark in found} <= {"flagged"}
    lines = [json.loads(line) for line in noria(demo, "journal", "export").splitlines()]
    texts = [json.loads(line["payload"].split("\n")[0]) for line in lines if "topic" in line]
    assert len({m["era"] for m in texts}) == 12
    assert {m["boot"] for m in texts} >= {1, 2}


def kill_gateway(demo: run.Demo) -> None:
    """SIGKILL in the middle of it; ``noria up`` starts it again."""
    pid = int((demo.settings.data / "gateway.lock").read_text())
    os.kill(pid, signal.SIGKILL)

    def again() -> bool:
        text = (demo.settings.data / "gateway.lock").read_text().strip()
        return bool(text) and int(text) != pid

    eventually(demo, again, 30, "another gateway")


def nothing_is_lost(demo: run.Demo) -> None:
    """Every journaled reading is in InfluxDB, once; every device's sequence has no hole."""
    lines = [json.loads(line) for line in noria(demo, "journal", "export").splitlines()]
    messages = [
        json.loads(line["payload"].split("\n")[0]) | {"topic": line["topic"]}
        for line in lines
        if "topic" in line
    ]
    journaled = {
        (m["topic"].split("/")[2], m["era"], m["boot"], m["seq"], i)
        for m in messages
        for i in range(len(m["r"]))
    }

    def stored() -> bool:
        rows = [json.loads(line) for line in noria(demo, "export", "readings").splitlines()]
        keys = [(r["device"], r["era"], r["boot"], r["seq"], r["i"]) for r in rows]
        assert len(keys) == len(set(keys))
        return journaled <= set(keys)

    eventually(demo, stored, 60, "every journaled reading in InfluxDB")
    by_boot: dict[tuple[str, str, int], list[int]] = {}
    for m in messages:
        by_boot.setdefault((m["topic"], m["era"], m["boot"]), []).append(m["seq"])
    for key, seqs in by_boot.items():
        assert sorted(seqs) == list(range(1, len(seqs) + 1)), key


def test_the_demo_leaves_nothing_running_and_nothing_behind(tmp_path: Path) -> None:
    require("mosquitto")
    reported: list[str] = []
    with run.running(
        past_s=0.0, speed=SPEED, interpreter="auto", report=reported.append
    ) as running:
        folder = running.settings.source.parent
    processes = subprocess.run(
        ["/bin/ps", "-eo", "args"], capture_output=True, text=True, check=True
    ).stdout
    assert str(folder) not in processes
    assert not folder.exists()

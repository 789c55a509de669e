"""What a real installation leaves behind: rights of files, users of processes, names in the log."""

import json
import os
import pwd
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from gateway.mqtt.broker import login
from tests.integration.running_gateway import NORIA, RunningGateway
from tests.parts import require
from tests.parts.services import Service, free_port, until
from tests.wire_node.sealed import Ring

KEY = bytes(range(32))
NAME = "Old mill by the lock"
PLACE = f"""
[[site]]
id = "mill-site"
name = "{NAME}"
[[tank]]
id = "mill-tank"
site = "mill-site"
name = "{NAME}"
shape = "ibc1000"
sensor_height_mm = 1100
[[device]]
id = "k7f3q5"
tank = "mill-tank"
uplink = "mill-router"
key = "{KEY.hex()}"
"""


class Place(RunningGateway):
    """An installation as ``noria init`` makes it, with a private broker and a theft in it."""

    def __init__(self, folder: Path, more: str = "") -> None:
        old = os.umask(0o022)  # an ordinary one, which lets everybody read
        try:
            made = subprocess.run([*NORIA, "init", str(folder)], check=True, capture_output=True)
            assert made.returncode == 0
            text = (folder / "noria.toml").read_text()
            super().__init__(folder, text)
            self.port = free_port()
            self.config.write_text(f'broker_listen = "127.0.0.1:{self.port}"\n{more}\n{text}')
            registry = folder / "place.toml"
            registry.write_text(PLACE)
            self.noria("registry", "import", str(registry))
            registry.unlink()
            self.start()
        finally:
            os.umask(old)

    def theft(self) -> None:
        motion = {"o": 0, "k": "motion", "mg": 900, "ms": 41000}
        ring = Ring("k7f3q5", KEY)
        events = [motion, {"o": 0, "k": "tilt", "deg": 70}]
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id="k7f3q5")
        client.username_pw_set("k7f3q5", login(KEY))
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        for more in ({}, {"e": events}):
            payload = ring.payload(ring.seal(time.time(), **more))
            client.publish(ring.topic, payload, qos=1).wait_for_publish(5)
        client.loop_stop()
        client.disconnect()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    require("mosquitto")
    made = Place(tmp_path_factory.mktemp("place") / "noria")
    try:
        made.theft()
        until(lambda: "noria.alert" in made.log.read_text(), 20, "the alert in the log")
        yield made
    finally:
        made.stop()


def rid(place: Place) -> str:
    lines = place.noria("export", "readings", "--random-ids").splitlines()
    return json.loads(lines[0])["tank"]


def test_the_default_log_names_no_place_and_no_tank(place: Place) -> None:
    text = place.log.read_text()
    (line,) = [one for one in text.splitlines() if "noria.alert" in one]
    assert "May have been taken" in line and rid(place) in line
    for word in (NAME, "mill-tank", "mill-site", "mill-router"):
        assert word not in text


def test_an_export_for_others_has_random_ids(place: Place) -> None:
    until(lambda: place.glance()["projections"]["store"]["lag"] == 0, 20, "the store's lag is 0")
    for what in ("readings", "events"):
        bare = place.noria("export", what, "--random-ids")
        assert bare and "mill" not in bare
        assert "mill-tank" in place.noria("export", what)


def test_every_file_and_folder_of_the_data_is_its_owners_alone(place: Place) -> None:
    wrong = [
        f"{path.relative_to(place.folder)} {stat.S_IMODE(path.lstat().st_mode):o}"
        for path in (place.folder / "data", *(place.folder / "data").rglob("*"))
        if stat.S_IMODE(path.lstat().st_mode) & 0o077
    ]
    assert wrong == []
    names = {path.name for path in (place.folder / "data").rglob("*")}
    assert {"readings.db", "noria.db", "journal.db", "broker"} <= names
    assert stat.S_IMODE((place.folder / "noria.toml").stat().st_mode) == 0o600


def test_files_that_an_older_version_left_open_are_closed(place: Place) -> None:
    place.stop()
    for name in ("readings.db", "noria.db"):
        (place.folder / "data" / name).chmod(0o644)
    (place.folder / "data").chmod(0o755)
    place.start()
    for path, mode in (("data", 0o700), ("data/readings.db", 0o600), ("data/noria.db", 0o600)):
        assert stat.S_IMODE((place.folder / path).stat().st_mode) == mode


def processes(place: Place) -> Iterator[tuple[str, int]]:
    """Command line and uid of the gateway and everything that it started."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if place.pid in (int(folder.name), int(fields[1])):
                yield (folder / "cmdline").read_text().replace("\0", " "), folder.stat().st_uid
        except OSError:
            continue


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="reads /proc")
def test_no_process_shows_a_secret_and_the_broker_is_not_root(place: Place) -> None:
    secrets = [path.read_text().strip() for path in place.folder.glob("data/broker/*.password")]
    assert secrets
    found = list(processes(place))
    brokers = [uid for line, uid in found if "mosquitto" in line.split(" ")[0]]
    assert len(brokers) == 1
    assert brokers[0] != 0
    if os.geteuid() == 0:
        assert brokers[0] in {pwd.getpwnam(name).pw_uid for name in ("mosquitto", "nobody")}
    assert [line for line, _ in found for secret in (*secrets, KEY.hex()) if secret in line] == []


@pytest.mark.parametrize("way", ["argument", "stdin"])
def test_the_password_of_a_broker_does_not_stay_in_the_command_line(
    tmp_path: Path, way: str
) -> None:
    secret = "hunter2-" + "q" * 12
    folder, watch = tmp_path / "noria", (
        "import runpy, sys, pathlib, atexit\n"
        "atexit.register(lambda: print(pathlib.Path('/proc/self/cmdline').read_text()))\n"
        "runpy.run_module('server.command', run_name='__main__')\n"
    )  # fmt: skip
    given = f":{secret}" if way == "argument" else ""
    words = ["init", str(folder), "--broker", f"mqtt://me{given}@broker.example:1883"]
    words += ["--broker-password-stdin"] if way == "stdin" else []
    ran = subprocess.run(
        [sys.executable, "-c", watch, *words], input=secret + "\n", capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert "broker.example" in ran.stdout  # the command line is shown
    assert secret not in ran.stdout + ran.stderr
    assert (folder / "broker.password").read_text().strip() == secret
    assert secret not in (folder / "noria.toml").read_text()
    assert ("--broker-password-stdin" in ran.stderr) == (way == "argument")


def test_live_topics_have_random_ids_where_that_is_set(tmp_path: Path) -> None:
    require("mosquitto")
    place = Place(tmp_path / "noria", 'live_ids = "random"')
    seen: list[tuple[str, str]] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="noria-reader")
    try:
        password = (place.folder / "data/broker/noria-reader.password").read_text().strip()
        client.username_pw_set("noria-reader", password)
        client.on_message = lambda _c, _d, m: seen.append((m.topic, m.payload.decode()))
        client.connect("127.0.0.1", place.port)
        client.subscribe("noria/1/live/#")
        client.loop_start()
        place.theft()
        until(lambda: any("/incident/" in topic for topic, _ in seen), 20, "the incident's topic")
        until(lambda: f"noria/1/live/{rid(place)}" in {topic for topic, _ in seen}, 20, "the level")
    finally:
        client.loop_stop()
        client.disconnect()
        place.stop()
    assert "mill" not in str(seen)


def test_no_address_of_a_visitor_is_kept(tmp_path: Path) -> None:
    """Pages, failed sign-ins and wrong requests of one address, which a trusted proxy names."""
    port, visitor = free_port(), "203.0.113.77"
    subprocess.run([*NORIA, "init", str(tmp_path / "noria")], check=True, capture_output=True)
    config = tmp_path / "noria" / "noria.toml"
    more = f'server_listen = "127.0.0.1:{port}"\ntrusted_proxies = ["127.0.0.1"]\n'
    config.write_text(more + config.read_text())
    server = Service([*NORIA, "server", "--config", config], tmp_path / "noria" / "server.log")
    server.start(lambda: "ready" in server.text())
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"X-Forwarded-For": visitor}
        ) as client:
            for path in ("/", "/sign-in", "/nowhere", "/health", "/api/v1/tanks"):
                client.get(path)
            wrong = {"login": "nobody", "password": "wrong-password"}
            statuses = [client.post("/api/v1/session", json=wrong).status_code for _ in range(10)]
            assert statuses[-1] == 429
            client.post("/sign-in", content=b"\xff" * 100)
    finally:
        server.stop()
    kept = [p for p in (tmp_path / "noria").rglob("*") if p.is_file()]
    assert len(kept) >= 3
    assert [p.name for p in kept if visitor.encode() in p.read_bytes()] == []

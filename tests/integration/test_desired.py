"""``noria device set|order|update``: from the command to a real board, through a private broker."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CalledProcessError

import paho.mqtt.client as paho
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.enums import CallbackAPIVersion

from gateway.mqtt.broker import login
from tests.firmware.board_at_work import DEVICE, KEY, board
from tests.firmware.released import PUBLIC, made
from tests.integration.running_gateway import RunningGateway
from tests.parts import require
from tests.parts.commands import noria as command
from tests.parts.services import free_port, until


class Place:
    """A gateway with its private broker, and one enrolled device."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.gateway = RunningGateway(
            folder,
            f'broker_listen = "127.0.0.1:{self.port}"\nrelease_key = "{PUBLIC}"\n',
        )
        self.gateway.enrol({DEVICE: KEY, "bbbbbb": bytes(32)})
        self.gateway.start()

    def device(self, *words: str) -> str:
        """The output of ``noria device``."""
        return self.gateway.noria("device", *words)

    def retained(self, *topics: str, device: str = DEVICE, key: bytes = KEY) -> dict[str, bytes]:
        """The messages that a device's own login receives on ``topics``."""
        received: dict[str, bytes] = {}
        ended: list[int] = []
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=device)
        client.username_pw_set(device, login(key))

        def subscribe(client: paho.Client, *_: object) -> None:
            client.subscribe([(topic, 1) for topic in topics])

        def subscribed(client: paho.Client, *_: object) -> None:
            client.unsubscribe(topics[0])  # answered after the retained messages

        def receive(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
            received[message.topic] = bytes(message.payload)

        client.on_connect, client.on_subscribe, client.on_message = subscribe, subscribed, receive
        client.on_unsubscribe = lambda *_: ended.append(1)
        client.connect("127.0.0.1", self.port)
        deadline = time.monotonic() + 5.0
        while not ended:
            assert time.monotonic() < deadline, "the broker did not answer"
            client.loop(0.1)
        client.disconnect()
        return received


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    require("mosquitto")
    found = Place(tmp_path / "gateway")
    yield found
    found.gateway.stop()


DOWN = f"noria/1/{DEVICE}/down"


def _numbered(text: str) -> int:
    return int(text.split("number ")[1].split(",")[0])


def test_a_down_is_retained_and_published_again_after_the_broker_lost_it(place: Place) -> None:
    first = _numbered(place.device("set", DEVICE, "interval_s=300", "change_mm=50"))
    assert abs(first - time.time()) < 60
    until(lambda: DOWN in place.retained(DOWN), 10, "the down is at the broker")
    before = place.retained(DOWN)[DOWN]
    assert b'"set":{"interval_s":300,"change_mm":50}' in before
    place.gateway.stop()
    shutil.rmtree(place.gateway.folder / "data" / "broker")
    place.gateway.start()
    until(lambda: place.retained(DOWN) == {DOWN: before}, 15, "the same bytes are there again")
    second = _numbered(place.device("set", DEVICE, "interval_s=", "report_s=3600"))
    assert second > first
    until(lambda: b'"report_s":3600' in place.retained(DOWN)[DOWN], 10, "the newer one follows")
    assert b"interval_s" not in place.retained(DOWN)[DOWN]


def test_an_invalid_command_is_refused_with_its_remedy(place: Place, tmp_path: Path) -> None:
    for words, message in (
        (("set", "zzzzzz", "interval_s=300"), "no device has this id"),
        (("set", DEVICE, "interval_s=3"), "interval_s = 3: use 30 to 604800"),
        (("set", DEVICE, "change_g=499"), "= 499: use 500 to 2147483647, since cells creep"),
        (("set", DEVICE, "colour=3"), "a device knows interval_s"),
        (("set", DEVICE, "move_from=1795300000"), "move_from and move_to go together"),
        (("set", DEVICE, "move_from=2026-11-30T10:00:00", "move_to=1"), "time zone"),
        (("order", DEVICE, "dance"), "order reboot, recover, resend"),
        (("order", DEVICE, "resend"), "--from ERA:BOOT:SEQ"),
        (("update", DEVICE, str(tmp_path / "none")), "No such file"),
        (("update", DEVICE, str(place.gateway.config)), "not a release bundle"),
        (("show", DEVICE), "nothing was ever told"),
    ):
        with pytest.raises(CalledProcessError) as failed:
            place.device(*words)
        assert failed.value.returncode == 2 and message in failed.value.stderr, failed.value.stderr
    other = made(3, key=Ed25519PrivateKey.generate()).bundle()
    (tmp_path / "other").write_bytes(other)
    with pytest.raises(CalledProcessError) as failed:
        place.device("update", DEVICE, str(tmp_path / "other"))
    assert "not signed by the key" in failed.value.stderr


def _plan(place: Place, start: int, end: int, more: str = "") -> None:
    """A coordinator imports a planned move of the tank."""
    moments = (datetime.fromtimestamp(at, UTC).isoformat() for at in (start, end))
    text = '[[plan]]\ntank = "north-1"\nkind = "move"\nfrom = {}\nto = {}\n'.format(*moments)
    file = place.gateway.folder / "plan.toml"
    file.write_text(text + more, "utf-8")
    place.gateway.noria("registry", "import", str(file))


def _set(place: Place) -> dict[str, int]:
    """``set`` of the retained ``down``."""
    down = place.retained(DOWN).get(DOWN)
    return json.loads(down.split(b"\n")[0])["set"] if down else {}


def _becomes(place: Place, wanted: dict[str, int]) -> None:
    until(lambda: _set(place) == wanted, 15, f"the down sets {wanted}")


def test_a_planned_move_is_sent_to_the_devices_of_its_tank_and_withdrawn(place: Place) -> None:
    start = int(time.time()) + 3600
    place.device("set", DEVICE, "interval_s=300")
    _plan(place, start, start + 7200)
    whole = {"interval_s": 300, "move_from": start, "move_to": start + 7200}
    _becomes(place, whole)
    other = "noria/1/bbbbbb/down"  # of the same tank
    other_down = place.retained(other, device="bbbbbb", key=bytes(32))[other]
    assert b'"set":{"move_from":%d,"move_to":%d}' % (start, start + 7200) in other_down
    _plan(place, start, start + 600)
    _becomes(place, {**whole, "move_to": start + 600})
    place.gateway.stop()
    place.gateway.start()  # the window is still known as the plan's
    _plan(place, start, start + 600, "cancelled = true\n")
    _becomes(place, {"interval_s": 300})
    assert "not answered yet" in place.device("show", DEVICE)


def test_a_move_that_a_person_set_has_priority_until_it_is_over(place: Place) -> None:
    now = int(time.time())
    by_hand = {"move_from": now + 60, "move_to": now + 90_000}
    place.device("set", DEVICE, *(f"{name}={at}" for name, at in by_hand.items()))
    _becomes(place, by_hand)
    _plan(place, now + 3600, now + 7200)
    other = "noria/1/bbbbbb/down"
    until(
        lambda: bool(place.retained(other, device="bbbbbb", key=bytes(32))), 15, "the plan is sent"
    )
    assert _set(place) == by_hand
    _plan(place, now + 3600, now + 7200, "cancelled = true\n")
    over = {"move_from": now - 600, "move_to": now - 60}
    place.device("set", DEVICE, *(f"{name}={at}" for name, at in over.items()))
    _plan(place, now + 5000, now + 6000)
    _becomes(place, {"move_from": now + 5000, "move_to": now + 6000})


def test_a_board_accepts_a_planned_move_and_answers(place: Place, tmp_path: Path) -> None:
    require("micropython")
    start = int(time.time()) + 90_000
    _plan(place, start, start + 7200)
    _becomes(place, {"move_from": start, "move_to": start + 7200})  # then the board connects once
    where = {"host": "127.0.0.1", "port": place.port, "password": login(KEY)}
    with board(tmp_path / "board", place.port, speed=1, broker=where):
        _reports(place, "in force")
    shown = place.device("show", DEVICE)
    assert f"move_from = {start}" in shown and f"move_to = {start + 7200}" in shown


def test_a_board_follows_commands_and_an_update_and_its_parts_are_cleared(
    place: Place, tmp_path: Path
) -> None:
    require("micropython")
    bundle = tmp_path / "release"
    bundle.write_bytes(made(3).bundle())
    where = {"host": "127.0.0.1", "port": place.port, "password": login(KEY)}
    place.device("set", DEVICE, "report_s=700")
    with board(tmp_path / "board", place.port, speed=600, broker=where, release_key=PUBLIC) as work:
        _reports(place, "in force")
        place.device("update", DEVICE, str(bundle))
        until(lambda: work.count("reset") > 0, 60, "the board starts the release")
        _reports(place, "in force")
        resets = work.count("reset")
        place.device("order", DEVICE, "reboot")
        until(lambda: work.count("reset") > resets, 30, "it reboots")
        _reports(place, "in force")
    # Not before: a second connection of this client id would end the board's.
    assert place.retained(f"noria/1/{DEVICE}/part/3/+") == {}
    shown = place.device("show", DEVICE)
    assert "report_s = 700" in shown and "release " in shown
    messages = place.gateway.exported()
    assert any('"sg":1' in line["payload"] for line in messages)
    counts = place.gateway.status()
    assert counts["received"]["flagged"] == 0 and counts["refused"]["bad_mac"] == 0


def _reports(place: Place, words: str) -> None:
    until(lambda: f", {words}\n" in place.device("show", DEVICE), 60, words)


def test_a_device_can_read_only_its_own_parts(place: Place, tmp_path: Path) -> None:
    bundle = tmp_path / "release"
    bundle.write_bytes(made(3).bundle())
    place.device("update", DEVICE, str(bundle))
    topic = f"noria/1/{DEVICE}/part/3/0"
    every, number = f"noria/1/{DEVICE}/part/3/+", len(made(3).parts())
    until(lambda: len(place.retained(every)) == number, 15, "all parts are at the broker")
    assert place.retained(topic, device="bbbbbb", key=bytes(32)) == {}


def test_signing_twice_writes_the_same_bundle(tmp_path: Path) -> None:
    environment = {"NORIA_RELEASE_PASSPHRASE": "a long enough passphrase"}

    def noria(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        try:
            output = command("release", *words, environment={**environment, **more})
        except CalledProcessError as failed:
            return subprocess.CompletedProcess(words, failed.returncode, "", failed.stderr)
        return subprocess.CompletedProcess(words, 0, output, "")

    key = tmp_path / "release.key"
    made_key = noria("key", str(key))
    assert made_key.returncode == 0 and 'release_key = "' in made_key.stdout
    assert key.stat().st_mode & 0o777 == 0o600 and "ENCRYPTED" in key.read_text()
    assert "never overwritten" in noria("key", str(key)).stderr
    for name in ("one", "two"):
        signed = noria("sign", "--key", str(key), "--version", "3", "--out", str(tmp_path / name))
        assert signed.returncode == 0, signed.stderr
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    wrong = noria(
        "sign", "--key", str(key), "--version", "3", "--out", str(tmp_path / "three"),
        NORIA_RELEASE_PASSPHRASE="another passphrase",
    )  # fmt: skip
    assert wrong.returncode == 2 and "does not open" in wrong.stderr
    key.chmod(0o644)
    open_key = noria("sign", "--key", str(key), "--version", "3", "--out", str(tmp_path / "four"))
    assert "chmod 600" in open_key.stderr

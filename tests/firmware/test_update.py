"""A signed release through a real Mosquitto into a slot of the real firmware, and back out."""

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.firmware.board_at_work import DEVICE, KEY, Work, board
from tests.firmware.released import PUBLIC, made, offer, order
from tests.firmware.signing_gateway import Json, SigningGateway
from tests.parts import require
from tests.parts.mosquitto_service import Mosquitto

N = 1795212000


@pytest.fixture
def gateway(mosquitto: Mosquitto) -> Iterator[SigningGateway]:
    require("micropython")
    with SigningGateway(mosquitto.port, DEVICE, KEY) as listening:
        yield listening


@pytest.fixture
def work(
    request: pytest.FixtureRequest, tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> Iterator[Work]:
    """A board that runs its slots in place, and one whose interpreter cannot."""
    compiled = getattr(request, "param", "rom") == "rom"
    plan = {"watchdog_s": 4.0}
    with board(
        tmp_path, mosquitto.port, plan=plan, compiled=compiled, release_key=PUBLIC
    ) as running:
        gateway.clock = running.fleet.clock.now
        gateway.until(lambda: len(gateway.messages) >= 1)
        yield running


both = pytest.mark.parametrize("work", ["rom", "files"], indirect=True)
"""Slots in ROM and in files differ in how they are written; choosing them is the same."""


def _confs(gateway: SigningGateway, n: int = N) -> list[Json]:
    return [event for event in gateway.events if event["k"] == "conf" and event["n"] == n]


def _answered(gateway: SigningGateway, code: str, n: int = N, timeout_s: float = 40) -> None:
    gateway.until(lambda: any(c.get("c", "") == code for c in _confs(gateway, n)), timeout_s)


def _boots(gateway: SigningGateway) -> list[str]:
    return [event["c"] for event in gateway.events if event["k"] == "boot"]


def _running(folder: Path) -> str:
    """Where the board's last traceback or build came from: the folder of its active slot."""
    held = bytes.fromhex(json.loads((folder / DEVICE / "nvs-noria.json").read_text())["slots"])
    return ("", "a", "b")[held[0]]


@both
def test_a_signed_release_is_downloaded_tried_and_kept(
    work: Work, gateway: SigningGateway, tmp_path: Path
) -> None:
    offer(gateway, N, made(3))
    _answered(gateway, "")
    assert [c.get("c") for c in _confs(gateway)] == ["update", None]
    assert _boots(gateway) == ["power", "update"]
    assert _running(tmp_path) == "a"
    boot = next(e for e in gateway.events if e["k"] == "boot" and e["c"] == "update")
    assert len(boot["fh"]) == 16
    # The next one goes into the other slot, the one after into the first again.
    offer(gateway, N + 1, made(4))
    _answered(gateway, "", N + 1)
    assert _running(tmp_path) == "b" and "Traceback" not in work.console


CRASHES = b"raise ImportError('broken on purpose')\n"
HANGS = b"import time\nwhile True:\n    time.sleep(1)\n"
HUNGRY = b"hold = bytearray(1 << 28)\n"
TO_PROMPT = b"raise SystemExit\n"


@pytest.mark.parametrize(
    "text", [CRASHES, HANGS, HUNGRY, TO_PROMPT], ids=["crash", "hang", "memory", "exit"]
)
def test_a_release_that_cannot_run_goes_back_by_itself(
    work: Work, gateway: SigningGateway, tmp_path: Path, text: bytes
) -> None:
    offer(gateway, N, made(3, broken={"node/start.py": text}))
    _answered(gateway, "update_back", timeout_s=60)
    assert _running(tmp_path) == ""
    assert work.count("stuck") == 0


SILENT = b"""
class Uplink:
    reboot = False
    release = None
    def __init__(self, board, config, queue, plan, update_status):
        self._update_status = update_status
        self._plan = plan
        self._state = queue.state
    def report(self, found):
        self._state.fails = self._state.retry_up = 0  # no back-off: attempts follow at once
        self._update_status.record_attempt(False, 0, self._plan)
    def seal(self, mv):
        pass
    def ensure_era(self):
        pass
"""


def test_a_release_that_never_reports_goes_back_by_itself(
    work: Work, gateway: SigningGateway, tmp_path: Path
) -> None:
    offer(gateway, N, made(3, broken={"node/exchange/uplink.py": SILENT}))
    _answered(gateway, "update_back", timeout_s=100)
    assert _running(tmp_path) == "" and work.count("crash") == 0


def test_what_the_release_key_did_not_sign_is_never_installed(
    work: Work, gateway: SigningGateway, tmp_path: Path
) -> None:
    stranger = Ed25519PrivateKey.generate()
    offer(gateway, N, made(3, key=stranger))
    _answered(gateway, "update_sig")
    good = made(5)
    offer(gateway, N + 1, good, sig="A" * 86)
    _answered(gateway, "update_sig", N + 1)
    changed = made(5, broken={"node/policy/schedule.py": b"x = 1\n"})
    for number, part in enumerate(changed.parts()):
        gateway.lay(f"noria/1/{DEVICE}/part/5/{number}", part)
    order(gateway, N + 2, {**good.update_member(N + 2), "size": len(changed.stream)})
    _answered(gateway, "update_sig", N + 2)
    assert "update" not in _boots(gateway)


@both
def test_a_part_that_was_changed_is_found_out(
    work: Work, gateway: SigningGateway, tmp_path: Path
) -> None:
    good = made(3)
    offer(gateway, N, good)
    part = good.parts()[-1]
    gateway.lay(f"noria/1/{DEVICE}/part/3/{len(good.parts()) - 1}", bytes([part[0] ^ 1]) + part[1:])
    _answered(gateway, "update_hash")
    assert "update" not in _boots(gateway) and _running(tmp_path) == ""


def test_an_older_release_and_one_for_another_board_are_refused(
    work: Work, gateway: SigningGateway, tmp_path: Path
) -> None:
    held = tmp_path / DEVICE / "root" / "config.json"
    held.write_text(json.dumps({**json.loads(held.read_text()), "release_floor": 5}))
    offer(gateway, N - 1, made(4))
    _answered(gateway, "update_old", N - 1)  # the floor that came by cable, before any release
    offer(gateway, N, made(7))
    _answered(gateway, "")
    offer(gateway, N + 1, made(6))
    _answered(gateway, "update_old", N + 1)
    offer(gateway, N + 2, made(8, board="another"))
    _answered(gateway, "update_board", N + 2)
    order(gateway, N - 5, made(9).update_member(N - 5))  # a command from before
    work_messages = len(gateway.messages)
    gateway.until(lambda: len(gateway.messages) >= work_messages + 3)
    assert not _confs(gateway, N - 5) and _running(tmp_path) == "a"


@both
def test_the_power_may_fail_at_any_moment_of_an_update(
    work: Work, gateway: SigningGateway, tmp_path: Path
) -> None:
    random.seed(11)
    offer(gateway, N, made(3))
    for _ in range(12):
        wakes = work.wakes
        deadline = time.monotonic() + 20
        while work.wakes == wakes and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(random.random() * 0.5)
        work.do("power_off")
        work.do("power_on")
    _answered(gateway, "", timeout_s=60)
    assert _running(tmp_path) == "a" and work.count("stuck") == 0
    offer(gateway, N + 1, made(4))
    _answered(gateway, "", N + 1, timeout_s=60)
    assert _running(tmp_path) == "b"

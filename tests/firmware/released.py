"""Releases of the tree's own firmware, as it is or broken on purpose, signed by a test's key."""

import functools
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.devices import release
from gateway.devices.release import Release
from gateway.domain import envelope
from server.command.release import compiled
from tests.firmware.board_at_work import DEVICE
from tests.firmware.signing_gateway import SigningGateway

SOURCE = Path(__file__).parents[2] / "firmware" / "device"
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = SIGNER.public_key().public_bytes_raw().hex()


@functools.cache
def _compiled() -> Mapping[str, bytes]:
    return compiled(SOURCE)


def made(
    version: int,
    *,
    floor: int | None = None,
    broken: Mapping[str, bytes] | None = None,
    key: Ed25519PrivateKey = SIGNER,
    board: str = "firebeetle",
) -> Release:
    """A release; ``broken`` replaces files of the slot by source text."""
    files = dict(_compiled())
    for path, text in (broken or {}).items():
        files.pop(path.replace(".py", ".mpy"), None)
        files[path] = text
    return release.sign(
        key, files, version=version, floor=floor or version, fw=f"0.1.{version}", board=board
    )


def offer(gateway: SigningGateway, n: int, given: Release, **update: object) -> None:
    """Lay the parts and a ``down`` numbered ``n`` at the broker; ``update`` changes its members."""
    for number, part in enumerate(given.parts()):
        gateway.lay(envelope.part_topic(DEVICE, given.version, number), part)
    order(gateway, n, {**given.update_member(n), **update})


def order(gateway: SigningGateway, n: int, update: object, **more: object) -> None:
    """Publish a ``down`` with that update."""
    gateway.publish_json("down", {"v": 1, "n": n, "update": update, **more})

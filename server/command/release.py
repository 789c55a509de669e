"""``noria release``: signs firmware offline. Its key must be on no gateway and on no board."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from firmware import compilation
from gateway.devices import release as releases
from gateway.errors import ReleaseError
from server.command.device.stage import DEVICE

_PASSPHRASE = "NORIA_RELEASE_PASSPHRASE"  # noqa: S105 - the name of a variable
_SHORTEST = 12
_FOLDERS = ("board", "drivers", "lib", "node")
"""The folders of a slot; ``boot.py``, ``main.py`` and ``slots.py`` are written by cable only."""


@click.group()
def release() -> None:
    """Make the release key, build and sign releases: on a machine that is kept offline."""


@release.command()
@click.argument("file", type=click.Path(path_type=Path))
def key(file: Path) -> None:
    """Make the key that signs releases in FILE, under a passphrase; prints its public half."""
    made = Ed25519PrivateKey.generate()
    secret = _passphrase(confirm=True)
    text = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(secret))
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ReleaseError(f"{file}: {error.strerror}: a key is never overwritten") from error
    with os.fdopen(descriptor, "wb") as out:
        out.write(text)
    click.echo(
        f"Made {file}. Keep it offline, with a copy; who has it can run code on every board."
    )
    click.echo(f'release_key = "{_public(made)}"')


@release.command()
@click.option("--key", "file", type=click.Path(path_type=Path), required=True, metavar="FILE")
@click.option("--version", type=int, required=True, metavar="N", help="Above the one before.")
@click.option("--floor", type=int, metavar="N", help="No release below N afterwards; else N above.")
@click.option("--board", default="any", metavar="NAME", help="The board it is for.")
@click.option(
    "--source",
    type=click.Path(path_type=Path),
    default=DEVICE,
    show_default="the installed firmware",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="BUNDLE")
def sign(file: Path, version: int, floor: int | None, board: str, source: Path, out: Path) -> None:
    """Compile the firmware, sign it, and write BUNDLE: the same bytes each time."""
    made = releases.sign(
        _key(file),
        compiled(source),
        version=version,
        floor=version if floor is None else floor,
        fw=_build(source),
        board=board,
    )
    out.write_bytes(made.bundle())
    click.echo(f"Wrote {out}: version {made.version}, {len(made.stream)} bytes, {made.fw}.")


def compiled(source: Path) -> Mapping[str, bytes]:
    """The compiled modules of a slot, by path. Raises ReleaseError."""
    found = [path for folder in _FOLDERS for path in sorted((source / folder).rglob("*.py"))]
    if not (source / "node" / "start.py").is_file():
        raise ReleaseError(f"{source} is not the firmware's device folder: name it with --source")
    try:
        return compilation.compiled(source, found)
    except compilation.CompilationError as error:
        raise ReleaseError(str(error)) from error


def _build(source: Path) -> str:
    text = (source / "node" / "__init__.py").read_text("utf-8")
    found = re.search(r'^FW = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise ReleaseError(f"{source}/node/__init__.py names no FW")
    return found[1]


def _key(file: Path) -> Ed25519PrivateKey:
    try:
        mode = file.stat().st_mode
        text = file.read_bytes()
    except OSError as error:
        raise ReleaseError(f"{file}: {error.strerror}: 'noria release key' makes one") from error
    if mode & 0o077:
        raise ReleaseError(f"{file} can be read by others: chmod 600 {file}")
    try:
        found = load_pem_private_key(text, _passphrase())
    except (ValueError, TypeError) as error:
        raise ReleaseError(f"{file} does not open with that passphrase") from error
    if not isinstance(found, Ed25519PrivateKey):
        raise ReleaseError(f"{file} holds no Ed25519 key: 'noria release key' makes one")
    return found


def _passphrase(confirm: bool = False) -> bytes:
    given: str = os.environ.get(_PASSPHRASE) or click.prompt(
        "Passphrase of the release key", hide_input=True, confirmation_prompt=confirm
    )
    if confirm and len(given) < _SHORTEST:
        raise ReleaseError(f"the passphrase has {len(given)} characters: use {_SHORTEST} or more")
    return given.encode()


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()

"""The log's key, and the version of the program that writes it."""

import os
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.errors import JournalError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def log_key(data: Path) -> "Ed25519PrivateKey":
    """The Ed25519 key in ``data/log.key``, made at the first start, readable by its owner only.

    Raises JournalError when the file holds something else.
    """
    # 8 MB, which the server saves: it needs only the build.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = data / "log.key"
    if not path.exists():
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = Ed25519PrivateKey.generate().private_bytes_raw().hex()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(made + "\n")
    try:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text("ascii")))
    except ValueError as error:
        raise JournalError(f"{path} is not a log key: restore it from a backup") from error


def build() -> str:
    """The version of this program, as installed."""
    return metadata.version("noria")

"""The log's key, and the version of the program that writes it.

``python -m gateway.journal.log_key`` reads a private key (hex) and prints its public key.
"""

import os
import secrets
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from gateway.errors import JournalError

_BYTES = 32
"""Any 32 random bytes are a private key (RFC 8032, section 5.1.5)."""
_LONGEST_S = 60.0


def log_key(data: Path) -> bytes:
    """The private Ed25519 key in ``data/log.key``, 32 bytes.

    It is made at the first start, readable by its owner only. Raises JournalError when the file
    holds something else.
    """
    path = data / "log.key"
    if not path.exists():
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_bytes(_BYTES).hex() + "\n")
    try:
        key = bytes.fromhex(path.read_text("ascii"))
    except ValueError:
        key = b""
    if len(key) != _BYTES:
        raise JournalError(f"{path} is not a log key: restore it from a backup")
    return key


def public_key(private: bytes) -> bytes:
    """The public key of a private one, 32 bytes each; takes a fifth of a second.

    Only the first entry of a log needs it. It is derived in a process of its own, since
    ``cryptography``, once imported, keeps 8 MB of a gateway that runs for months.
    """
    made = subprocess.run(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", __name__],
        input=private.hex(), capture_output=True, text=True, check=True, timeout=_LONGEST_S,
    )  # fmt: skip
    return bytes.fromhex(made.stdout)


def build() -> str:
    """The version of this program, as installed."""
    return metadata.version("noria")


def _print_public_key() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(sys.stdin.read()))
    sys.stdout.write(private.public_key().public_bytes_raw().hex())


if __name__ == "__main__":
    _print_public_key()

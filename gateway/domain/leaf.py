"""The text of a leaf: what the log commits to (WIRE.md, section 4)."""

import hashlib
import re
from collections.abc import Mapping

from gateway.domain.envelope import unpadded

MAX_BYTES = 4096
SALT_BYTES = 32

_KIND = re.compile(r"[a-z]{2,8}")
_LINE = re.compile(r"[\x20-\x7e]+")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def commit(salt: bytes, body: bytes) -> str:
    """Base64url(SHA-256(``noria-body-1`` LF, 32 random bytes, body)), 43 characters."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    digest = hashlib.sha256(b"noria-body-1\n" + salt + body).digest()
    return unpadded(digest).decode("ascii")


def text(
    kind: str,
    time_ms: int,
    gateway: str,
    subject: str,
    body_commit: str,
    lines: Mapping[str, str] | None = None,
) -> bytes:
    """A leaf: ASCII, lines ended by LF, none empty, at most 4096 bytes.

    Raises ValueError naming the part that cannot stand in a leaf.
    """
    if not _KIND.fullmatch(kind):
        raise ValueError(f"kind {kind!r} is not 2-8 letters a-z")
    named = sorted((lines or {}).items())
    for name, value in named:
        if not _NAME.fullmatch(name) or not _LINE.fullmatch(value):
            raise ValueError(f"line {name}={value!r} is not ASCII text with a name")
    fixed = ["noria-leaf-1", kind, str(time_ms), gateway, subject, body_commit]
    rows = [*fixed, *(f"{name}={value}" for name, value in named)]
    for row in rows:
        if not _LINE.fullmatch(row):
            raise ValueError(f"{row!r} cannot be a line of a leaf")
    leaf = "".join(f"{row}\n" for row in rows).encode("ascii")
    if len(leaf) > MAX_BYTES:
        raise ValueError(f"a leaf of {len(leaf)} bytes is longer than {MAX_BYTES}")
    return leaf

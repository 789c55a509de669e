"""The text of a leaf, which the log commits to (WIRE.md, section 4)."""

import hashlib
import re
from collections.abc import Mapping

from gateway.domain.envelope import encode_base64url

MAX_BYTES = 4096
SALT_BYTES = 32

_KIND = r"[a-z]{2,8}"
_ROW = r"[\x20-\x7e]+"
_LINE = r"[a-z][a-z0-9_]*=[\x20-\x7e]+"
_FIXED_ROWS = 6
_LEAF = re.compile(rf"noria-leaf-1\n{_KIND}\n-?[0-9]+\n(?:{_ROW}\n){{3}}(?:{_LINE}\n)*")


def commit(salt: bytes, body: bytes) -> str:
    """Base64url(SHA-256(``noria-body-1`` LF, 32 random bytes, body)), 43 characters."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    digest = hashlib.sha256(b"noria-body-1\n" + salt + body).digest()
    return encode_base64url(digest).decode("ascii")


def text(
    kind: str,
    time_ms: int,
    gateway: str,
    subject: str,
    body_commit: str,
    lines: Mapping[str, str] | None = None,
) -> bytes:
    """A leaf: ASCII, lines ended by LF, none empty, at most 4096 bytes.

    Raises ValueError that names the invalid part.
    """
    more = "".join([f"{name}={value}\n" for name, value in sorted(lines.items())]) if lines else ""
    whole = f"noria-leaf-1\n{kind}\n{time_ms}\n{gateway}\n{subject}\n{body_commit}\n{more}"
    if not _LEAF.fullmatch(whole) or whole.count("\n") != _FIXED_ROWS + len(lines or ()):
        raise ValueError(f"{whole!r} cannot be a leaf: {_odd_part(kind, lines or {})}")
    if len(whole) > MAX_BYTES:
        raise ValueError(f"a leaf of {len(whole)} bytes is longer than {MAX_BYTES}")
    return whole.encode()


def _odd_part(kind: str, lines: Mapping[str, str]) -> str:
    if not re.fullmatch(_KIND, kind):
        return f"kind {kind!r} is not 2-8 letters a-z"
    for name, value in lines.items():
        if not re.fullmatch(_LINE, f"{name}={value}"):
            return f"line {name}={value!r} is not ASCII text with a name"
    return "a row is empty or is not ASCII text"

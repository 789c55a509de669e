"""A firmware release: built and signed offline, stored whole, cut into parts for a board.

Format: gateway/WIRE.md, *Releases*. A board installs only code signed by the release key, which no
gateway has; a MAC by the device's key is not enough.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.domain import envelope
from gateway.errors import ReleaseError
from gateway.wire.signature import is_valid

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_PART_BYTES = 2048
_MAX_MANIFEST_BYTES = 8192
_MAX_BYTES = 1 << 20
_MAX_VERSION = 2**31 - 1
_FIRST = "noria-release-1"
_HEAD = re.compile(rb"noria-bundle-1 ([0-9]{1,5}) ([A-Za-z0-9_-]{86})\n")
_PATH = re.compile(r"[a-z0-9_.]+(/[a-z0-9_.]+){0,2}")
_FW = re.compile(r"[!-~]{1,24}")


@dataclass(frozen=True, slots=True)
class Release:
    """``stream`` is the manifest's bytes, then those of every file in the manifest's order."""

    version: int
    floor: int
    fw: str
    board: str
    signature: str
    manifest_bytes: int
    stream: bytes

    def parts(self) -> list[bytes]:
        """The stream in parts of 2048 bytes; the last may be shorter."""
        return [
            self.stream[at : at + _PART_BYTES] for at in range(0, len(self.stream), _PART_BYTES)
        ]

    def update_member(self, n: int) -> dict[str, int | str]:
        """The member ``update`` of a ``down``; ``n`` is the number of its first ``down``."""
        return {
            "n": n,
            "version": self.version,
            "size": len(self.stream),
            "manifest": self.manifest_bytes,
            "sig": self.signature,
        }

    def bundle(self) -> bytes:
        """The file in which the signer hands it to a gateway."""
        return _bundle(self.manifest_bytes, self.signature, self.stream)


def sign(
    key: "Ed25519PrivateKey",
    files: Mapping[str, bytes],
    *,
    version: int,
    floor: int,
    fw: str,
    board: str,
) -> Release:
    """A release of ``files`` (path in the slot -> content), the same bytes for the same input.

    Raises ReleaseError for files and numbers that a board would refuse.
    """
    if not 1 <= floor <= version <= _MAX_VERSION:
        raise ReleaseError(
            f"version {version}, floor {floor}: use 1 <= floor <= version <= {_MAX_VERSION}"
        )
    for path, content in files.items():
        if not _PATH.fullmatch(path) or ".." in path or not content:
            raise ReleaseError(
                f"{path}: a board takes lower-case paths of files that hold something"
            )
    lines = [_FIRST, f"version {version}", f"floor {floor}", f"fw {fw}", f"board {board}"]
    for path in sorted(files):
        digest = hashlib.sha256(files[path]).hexdigest()
        lines.append(f"file {path} {len(files[path])} {digest}")
    manifest = "".join(line + "\n" for line in lines).encode("ascii")
    stream = manifest + b"".join(files[path] for path in sorted(files))
    signature = envelope.encode_base64url(key.sign(manifest)).decode("ascii")
    return open_release(_bundle(len(manifest), signature, stream))


def open_release(bundle: bytes) -> Release:
    """The release in a bundle. Raises ReleaseError when it is incomplete or malformed."""
    head = _HEAD.match(bundle)
    if head is None:
        raise ReleaseError("not a release bundle: 'noria release sign' makes one")
    stream, size = bundle[head.end() :], int(head[1])
    if not 0 < size <= min(_MAX_MANIFEST_BYTES, len(stream)) or len(stream) > _MAX_BYTES:
        raise ReleaseError(
            f"the bundle has {len(stream)} bytes, {size} of them manifest: at most "
            f"{_MAX_BYTES} and {_MAX_MANIFEST_BYTES}, or it was cut short: copy it again"
        )
    given = _manifest(stream[:size], stream[size:])
    return Release(
        version=int(given["version"]),
        floor=int(given["floor"]),
        fw=given["fw"],
        board=given["board"],
        signature=head[2].decode("ascii"),
        manifest_bytes=size,
        stream=stream,
    )


def verify(release: Release, public_key: bytes) -> None:
    """Raises ReleaseError unless the signature is by ``public_key`` (32 bytes)."""
    raw = envelope.decode_base64url(release.signature.encode("ascii"))
    if not is_valid(public_key, raw, release.stream[: release.manifest_bytes]):
        raise ReleaseError(
            f"the release is not signed by the key {public_key.hex()[:16]}… that release_key names"
        )


def _bundle(size: int, signature: str, stream: bytes) -> bytes:
    return f"noria-bundle-1 {size} {signature}\n".encode("ascii") + stream


def _manifest(manifest: bytes, rest: bytes) -> dict[str, str]:
    """The manifest's single fields. Raises ReleaseError when it does not match the files."""
    given: dict[str, str] = {}
    at = 0
    try:
        lines = manifest.decode("ascii").split("\n")
        for line in lines[1:-1]:
            name, value = line.split(" ", 1)
            if name != "file":
                given[name] = value
                continue
            path, size, digest = value.split(" ")
            content = rest[at : at + int(size)]
            if hashlib.sha256(content).hexdigest() != digest:
                raise ReleaseError(f"{path} is not what the manifest says: copy the bundle again")
            at += int(size)
        sound = lines[0] == _FIRST and at == len(rest) and _FW.fullmatch(given["fw"])
        if not sound or not 0 < int(given["floor"]) <= int(given["version"]) or not given["board"]:
            raise ReleaseError("the manifest is not of the form that boards read")
    except (ValueError, KeyError) as error:
        raise ReleaseError(f"the manifest cannot be read: {error}") from error
    return given

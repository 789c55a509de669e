"""The key of the contacts. A passphrase opens it; it is kept in memory, never on the disk.

``noria unlock`` writes the opened key to a file in memory (tmpfs), which every process of this
installation reads; it is gone when the machine loses power. Until then contacts are locked, and
alerts go to the channels of the settings only.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from argon2.low_level import Type, hash_secret_raw

from gateway.alerts.tables import contact, contact_key
from gateway.errors import NoriaError

if TYPE_CHECKING:
    pass

SHORTEST_PASSPHRASE = 12
_TIME, _MEMORY_KIB, _LANES = 4, 64 * 1024, 4
"""argon2id, RFC 9106's second choice with one pass more: about 0.2 s and 64 MiB, once a start."""
_PURPOSE = b"noria contacts 1"


class ContactKeyError(NoriaError):
    """The key cannot be opened; the message names the reason and the remedy."""


class Key:
    """The opened key: seals texts and makes their tags."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self._seal = hmac.digest(secret, b"seal", "sha256")
        self._tag = hmac.digest(secret, b"tag", "sha256")

    def seal(self, text: str, context: str) -> str:
        """Encrypt with AES-256-GCM; it opens with the same context only."""
        nonce = secrets.token_bytes(12)
        return _b64(nonce + _aes(self._seal).encrypt(nonce, text.encode(), context.encode()))

    def open(self, sealed: str, context: str) -> str:
        """Decrypt. Raises ContactKeyError for another key or context, or a damaged text."""
        from cryptography.exceptions import InvalidTag

        data = base64.b64decode(sealed)
        try:
            return _aes(self._seal).decrypt(data[:12], data[12:], context.encode()).decode()
        except InvalidTag:
            raise ContactKeyError(
                "a contact cannot be opened: it was sealed with another key or is damaged; "
                "remove it and enter it again"
            ) from None

    def tag(self, text: str, context: str) -> str:
        """A keyed hash (HMAC-SHA256) by which a text is found again without being opened."""
        message = f"{context}\0{text}".encode()
        return _b64(hmac.digest(self._tag, message, "sha256"))


class KeyFile:
    """The opened key in memory; ``folder`` is the installation's data."""

    def __init__(self, folder: Path) -> None:
        name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
        self.path = _in_memory() / f"contacts-{name}.key"

    def get(self) -> Key | None:
        """The key, None while it is locked."""
        try:
            secret = self.path.read_bytes()
        except OSError:
            return None
        return Key(secret) if len(secret) == 32 else None

    def put(self, key: Key) -> None:
        """Keep the key until ``drop``, or until the machine loses power."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(key.secret)
        made.replace(self.path)

    def drop(self) -> None:
        """Lock the contacts."""
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()


def exists(connection: sa.Connection) -> bool:
    """Whether a passphrase was set."""
    return connection.execute(sa.select(contact_key.c.id)).first() is not None


def create(connection: sa.Connection, passphrase: str) -> Key:
    """Draw the key and seal it under a passphrase. Raises ContactKeyError."""
    if exists(connection):
        raise ContactKeyError("contacts have a passphrase already: open them with 'noria unlock'")
    key = Key(secrets.token_bytes(32))
    _store(connection, key, passphrase)
    return key


def unlock(connection: sa.Connection, passphrase: str) -> Key:
    """Open the key. Raises ContactKeyError for a wrong passphrase."""
    row = connection.execute(sa.select(contact_key)).first()
    if row is None:
        raise ContactKeyError("no passphrase was set: set one with 'noria unlock --new'")
    opener = Key(_derived(passphrase, base64.b64decode(row.salt)))
    try:
        return Key(base64.b64decode(opener.open(row.sealed, _PURPOSE.decode())))
    except ContactKeyError:
        raise ContactKeyError(
            "this is not the passphrase of the contacts: try again; when nobody knows it any more, "
            "'noria unlock --forget' removes all contacts and people enter theirs again"
        ) from None


def change(connection: sa.Connection, key: Key, passphrase: str) -> None:
    """Seal the key under another passphrase; contacts stay as they are. Raises ContactKeyError."""
    _store(connection, key, passphrase)


def forget(connection: sa.Connection) -> int:
    """Remove the key and all contacts; returns how many."""
    connection.execute(sa.delete(contact_key))
    return connection.execute(sa.delete(contact)).rowcount


def _store(connection: sa.Connection, key: Key, passphrase: str) -> None:
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise ContactKeyError(
            f"a passphrase has at least {SHORTEST_PASSPHRASE} characters; five unrelated words are "
            "good"
        )
    salt = secrets.token_bytes(16)
    opener = Key(_derived(passphrase, salt))
    sealed = opener.seal(_b64(key.secret), _PURPOSE.decode())
    connection.execute(sa.delete(contact_key))
    connection.execute(sa.insert(contact_key).values(id=1, salt=_b64(salt), sealed=sealed))


def _derived(passphrase: str, salt: bytes) -> bytes:
    return hash_secret_raw(
        passphrase.encode(), salt, time_cost=_TIME, memory_cost=_MEMORY_KIB,
        parallelism=_LANES, hash_len=32, type=Type.ID,
    )  # fmt: skip


def _aes(key: bytes):  # the library's type would load it: 8 MB
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _in_memory() -> Path:
    """A folder that a power cut empties: systemd's RuntimeDirectory, the user's, or /dev/shm."""
    for name in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        folder = os.environ.get(name, "")
        if folder and os.access(folder, os.W_OK):
            return Path(folder) / "noria"
    return Path("/dev/shm") / f"noria-{os.getuid()}"  # noqa: S108

"""A journal in a folder, and messages made field by field."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from gateway.domain import merkle
from gateway.domain.chain import Identity
from gateway.domain.inputs import Auth
from gateway.domain.registry import Device
from gateway.journal import schema
from gateway.journal.integrity.startup_check import check_at_start
from gateway.journal.messages import Arrival
from gateway.journal.writer import Journal
from gateway.wire import Admitted, Decoded, decode
from tests.wire_node.sealed import Ring

NOW = 1795212000.0
DEVICE, ERA = "k7f3q5", "abcdefgh"
_MESSAGE = decode(Ring(DEVICE, bytes(32), ERA).seal(NOW).text.encode(), device=DEVICE).message


def message(
    place: Identity | None,
    prev: str | None = "",
    *,
    device: str = DEVICE,
    era: str = ERA,
    old: Identity | None = None,
    flag: str | None = None,
    generation: int | None = 1,
    auth: Auth = "mac",
    content: str = "",
    readable: bool = True,
) -> Admitted:
    """An authentic message; equal arguments make the same OBJECT."""
    text = repr((place, prev, device, era, old, flag, generation, content)).encode()
    digest = hashlib.sha256(text).digest()
    decoded = Decoded(
        _MESSAGE if readable else None, flag, (era, *place) if place else None, prev, old,
        generation, auth=auth,
    )  # fmt: skip
    return Admitted(Device(device, "t"), text, decoded, digest)


def chain(*places: Identity, **more: Any) -> list[Admitted]:
    """Messages at these places, each linked to the one before."""
    found: list[Admitted] = []
    for place in places:
        found.append(message(place, found[-1].link if found else "", **more))
    return found


def arrival(admitted: Admitted, received: float = NOW) -> Arrival:
    """The payload that carried the message."""
    return Arrival(f"noria/1/{admitted.device.id}/up", admitted.object, received)


def accept(
    journal: Journal, *messages: Admitted, received: float = NOW, fast: bool = False
) -> list[Any]:
    """Journal messages in one batch, ``fast`` where that is possible; returns the eras to ack."""
    eras: list[Any] = []
    with journal.transaction():
        for one in messages:
            arrived = arrival(one, received)
            if not (fast and journal.messages.accept_next(arrived, one)):
                eras.append(journal.messages.accept(arrived, one))
    return eras


def rows(path: Path, sql: str, *values: object) -> list[Any]:
    """What a query finds in the file of a journal."""
    with closing(sqlite3.connect(path)) as raw:
        return raw.execute(sql, values).fetchall()


def change(path: Path, sql: str, *values: object) -> None:
    """Change the file of a journal."""
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute(sql, values)


def facts(journal: Journal, number: int, kind: str = "run") -> None:
    """So many entries in one batch."""
    with journal.transaction():
        for n in range(number):
            journal.log.append_fact(kind, NOW, {"n": n})


def opened(journal: Journal, origin: str) -> None:
    """Begin a log as the diary does."""
    with journal.transaction():
        journal.log.append_fact("open", NOW, {"origin": origin})
        journal.log.origin = origin


def leaf_hashes(path: Path) -> list[bytes]:
    """The hashes of all leaves, in order."""
    return [merkle.leaf_hash(text) for (text,) in rows(path, "SELECT leaf FROM entry ORDER BY id")]


def filled(path: Path, number: int, kind: str = "run", at: float = NOW) -> None:
    """A journal with so many further entries, all of one batch."""
    journal = Journal(path, "g1")
    with journal.transaction():
        for n in range(number):
            journal.log.append(kind, at + n, "-", b'{"origin":"aaaa","n":%d}' % n)
    journal.close()


def checked(path: Path) -> None:
    """Check the journal as a start does; raises JournalError."""
    with closing(schema.open_for_reading(path)) as connection:
        check_at_start(connection)


def changed_leaf(path: Path, entry: int) -> None:
    """Change one leaf in the file."""
    change(path, "UPDATE entry SET leaf = CAST(leaf || 'x=y\n' AS BLOB) WHERE id = ?", entry)

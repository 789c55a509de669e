"""The devices' answers and faults (events ``conf`` and ``fault``), stored from the journal."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypedDict

import sqlalchemy as sa

from gateway import wire
from gateway.database.transaction import write_transaction
from gateway.devices import broker_trust, faults
from gateway.devices.state import answer
from gateway.domain.entry import Entry
from gateway.domain.message import Message
from gateway.projections import cursor

NAME = "answers"
_MAX_CODE = 24


class _AnswerRow(TypedDict):
    device: str
    n: int
    era: str
    boot: int
    seq: int
    ok: bool
    code: str
    received: float
    ca: str
    """The hash of the broker's port and CAs in force, where it says so."""


@dataclass(frozen=True, slots=True)
class AnswersProjection:
    """A ``gateway.projections.runner.Projection``; its rows are its only state."""

    engine: sa.Engine
    name: str = NAME

    def restore(self) -> None:
        """There is no state in memory."""

    def apply(self, entries: list[Entry]) -> None:
        """Store each ``conf`` and ``fault`` that is newer than the stored one."""
        with write_transaction(self.engine) as connection:
            for entry, message in _messages(entries):
                for row in _answers(entry, message):
                    _save_newer(connection, row)
                for fault in faults.reported(message, entry):
                    faults.save_newer(connection, fault)
            cursor.save(connection, NAME, entries[-1].id)

    def idle(self, now: float) -> float | None:
        """There are no timers."""
        return None


def _messages(entries: list[Entry]) -> Iterator[tuple[Entry, Message]]:
    for entry in entries:
        if entry.kind == "msg" and entry.verdict != "fork" and _may_matter(entry):
            message = wire.message_of(entry).message
            if message is not None:
                yield entry, message


def _may_matter(entry: Entry) -> bool:
    """Skips nearly every message without decoding it: either event needs its word or an escape."""
    body = entry.body
    return b"conf" in body or b"fault" in body or b"\\" in body or bool(entry.lines)


def _answers(entry: Entry, message: Message) -> Iterator[_AnswerRow]:
    for event in message.events:
        n, ok, code, ca = (event.fields.get(name) for name in ("n", "ok", "c", "ca"))
        if event.kind == "conf" and isinstance(n, int) and isinstance(ok, bool):
            yield {
                "device": message.device, "n": n, "era": message.era, "boot": message.boot,
                "seq": message.seq, "ok": ok, "received": entry.received,
                "code": code[:_MAX_CODE] if isinstance(code, str) else "",
                "ca": ca if isinstance(ca, str) else "",
            }  # fmt: skip


def _save_newer(connection: sa.Connection, row: _AnswerRow) -> None:
    """Newer by number and by order of sending: a node sends its backlog newest first."""
    if row["ca"]:
        broker_trust.save_answer(connection, row["device"], row["n"], row["ca"])
    where = answer.c.device == row["device"]
    stored = connection.execute(sa.select(answer).where(where)).one_or_none()
    if stored is not None:
        if stored.n > row["n"]:
            return
        same = (stored.n, stored.era) == (row["n"], row["era"])
        if same and (stored.boot, stored.seq) > (row["boot"], row["seq"]):
            return
        connection.execute(sa.delete(answer).where(where))
    values = {name: value for name, value in row.items() if name != "ca"}
    connection.execute(sa.insert(answer).values(**values))

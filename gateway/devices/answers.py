"""The devices' answers (event ``conf``), stored as they arrive in the journal."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypedDict

import sqlalchemy as sa

from gateway import wire
from gateway.database.transaction import write_transaction
from gateway.devices.state import answer
from gateway.domain.entry import Entry
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


@dataclass(frozen=True, slots=True)
class AnswersProjection:
    """A ``gateway.projections.runner.Projection``; its rows are its only state."""

    engine: sa.Engine
    name: str = NAME

    def restore(self) -> None:
        """There is no state in memory."""

    def apply(self, entries: list[Entry]) -> None:
        """Store each ``conf`` that is newer than the stored one."""
        with write_transaction(self.engine) as connection:
            for row in _answers(entries):
                _save_newer(connection, row)
            cursor.save(connection, NAME, entries[-1].id)

    def idle(self, now: float) -> float | None:
        """There are no timers."""
        return None


def _answers(entries: list[Entry]) -> Iterator[_AnswerRow]:
    for entry in entries:
        if entry.kind != "msg" or entry.verdict == "fork" or not _may_answer(entry):
            continue
        message = wire.message_of(entry).message
        for event in message.events if message else ():
            n, ok, code = (event.fields.get(name) for name in ("n", "ok", "c"))
            if message and event.kind == "conf" and isinstance(n, int) and isinstance(ok, bool):
                yield {
                    "device": message.device, "n": n, "era": message.era, "boot": message.boot,
                    "seq": message.seq, "ok": ok, "received": entry.received,
                    "code": code[:_MAX_CODE] if isinstance(code, str) else "",
                }  # fmt: skip


def _may_answer(entry: Entry) -> bool:
    """Skips nearly every message without decoding it: a ``conf`` needs that word or an escape."""
    return b"conf" in entry.body or b"\\" in entry.body or bool(entry.lines)


def _save_newer(connection: sa.Connection, row: _AnswerRow) -> None:
    """Newer by number and by order of sending: a node sends its backlog newest first."""
    where = answer.c.device == row["device"]
    stored = connection.execute(sa.select(answer).where(where)).one_or_none()
    if stored is not None:
        if stored.n > row["n"]:
            return
        same = (stored.n, stored.era) == (row["n"], row["era"])
        if same and (stored.boot, stored.seq) > (row["boot"], row["seq"]):
            return
        connection.execute(sa.delete(answer).where(where))
    connection.execute(sa.insert(answer).values(**row))

"""The devices' answers, event ``conf``, kept as they come in through the journal."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gateway import wire
from gateway.database.transaction import write_transaction
from gateway.devices.tables import answer
from gateway.domain.entry import Entry
from gateway.domain.message import Message
from gateway.projections import cursor

NAME = "answers"
_CODE = 24


@dataclass(frozen=True, slots=True)
class AnswersProjection:
    """A ``gateway.projections.runner.Projection``; it has no state but its rows."""

    engine: sa.Engine
    name: str = NAME

    def restore(self) -> None:
        """Nothing is kept in memory."""

    def apply(self, entries: list[Entry]) -> None:
        """Take each ``conf`` that is newer than the one we have."""
        with write_transaction(self.engine) as connection:
            for said in _answers(entries):
                _keep(connection, said)
            cursor.save(connection, NAME, entries[-1].id)

    def idle(self, now: float) -> float | None:
        """No timers."""
        return None


def _answers(entries: list[Entry]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        if entry.kind != "msg" or entry.verdict == "fork" or not _may_answer(entry):
            continue
        message = wire.message_of(entry).message
        if message is not None:
            yield from _of(message, entry.received)


def _may_answer(entry: Entry) -> bool:
    """Nearly no message does, and this is seen without reading it: nothing else spells ``conf``."""
    return b"conf" in entry.body or b"\\" in entry.body or bool(entry.lines)


def _of(message: Message, received: float) -> Iterator[dict[str, Any]]:
    for event in message.events:
        n, ok, code = (event.fields.get(name) for name in ("n", "ok", "c"))
        if event.kind == "conf" and isinstance(n, int) and isinstance(ok, bool):
            yield {
                "device": message.device, "n": n, "era": message.era, "boot": message.boot,
                "seq": message.seq, "ok": ok, "code": code[:_CODE] if isinstance(code, str) else "",
                "received": received,
            }  # fmt: skip


def _keep(connection: sa.Connection, said: dict[str, Any]) -> None:
    """Newest first is how a node sends its backlog: order decides, not arrival."""
    where = answer.c.device == said["device"]
    kept = connection.execute(sa.select(answer).where(where)).one_or_none()
    if kept is not None:
        if kept.n > said["n"]:
            return
        same = (kept.n, kept.era) == (said["n"], said["era"])
        if same and (kept.boot, kept.seq) > (said["boot"], said["seq"]):
            return
        connection.execute(sa.delete(answer).where(where))
    connection.execute(sa.insert(answer).values(**said))

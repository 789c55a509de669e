"""A journal of three months in real files, and what its archive contains."""

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from click.testing import CliRunner, Result

from gateway.database.tables import incident, tank_event, tank_now
from gateway.domain.entry import Entry
from gateway.journal.archive.writer import ArchiveWriter
from gateway.journal.diary import Diary
from gateway.journal.integrity.verify import Verification
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from server.command.main import cli
from tests.integration.signing_device import Gateway, SigningDevice, distance, registry
from tests.parts import database

JUNE = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())
SEPTEMBER = datetime(2026, 9, 1, tzinfo=UTC).timestamp()
AUGUST = datetime(2026, 8, 1, tzinfo=UTC).timestamp()
EVERY_S = 4 * 3600
MESSAGES = 92 * 86400 // EVERY_S  # June, July, August


def made(folder: Path) -> Path:
    """A data folder with ``noria.toml``: a tank is emptied and refilled for three months."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "noria.toml").write_text('data = "."\n', encoding="utf-8")
    gateway = Gateway(folder)
    gateway.register(registry(), JUNE - 86400.0)
    diary, node = Diary(gateway.journal), SigningDevice(booted=JUNE)
    diary.open(JUNE, lambda: bytes(32), "1.0")
    diary.start(JUNE, 0.0)
    for n in range(MESSAGES):
        at = JUNE + EVERY_S * n
        if n % 100 == 99:
            node.reboot(at)
        message = node.send(at, distance(300 + 11 * (n % 70)), v=2 if n % 50 == 49 else 1)
        gateway.receive(message, message)
        diary.write_due(at + 3.0, float(at + 3 - JUNE))
    gateway.close()
    return folder


def copied(template: Path, folder: Path) -> Path:
    """A copy of the folder, which a test may change."""
    shutil.copytree(template, folder, dirs_exist_ok=True)
    return folder


def archive(folder: Path, before: float = SEPTEMBER, largest: int = 1 << 18) -> int:
    """Archive the months that ended by ``before``; returns the number of segments written."""
    with closing(ArchiveWriter(folder / "journal.db", largest)) as run:
        for _ in run.steps(before):
            pass
        return run.moved.segments


def entries(folder: Path) -> list[Entry]:
    """All entries of the journal."""
    with closing(JournalReader(folder / "journal.db")) as reader:
        return list(reader.all())


def bodies(folder: Path) -> int:
    """The number of messages' bodies in the database."""
    with closing(sqlite3.connect(folder / "journal.db")) as raw:
        query = "SELECT count(*) FROM body JOIN entry ON id = entry WHERE kind IN ('msg', 'fork')"
        return raw.execute(query).fetchone()[0]


def segments(folder: Path) -> list[Path]:
    """The archive's files, in order of their entries."""
    found = (folder / "archive").glob("*.archive")
    return sorted(found, key=lambda path: int(path.name.split(".")[1].split("-")[0]))


def faults(folder: Path) -> list[str]:
    """The faults that a full verification finds."""
    with closing(Verification(folder / "journal.db")) as verification:
        for _ in verification.steps():
            pass
        return verification.found.faults


def noria(folder: Path, *arguments: str, status: int = 0) -> Result:
    """Run a command on this data folder; it must end with ``status``."""
    done = CliRunner().invoke(cli, [*arguments, "--config", str(folder / "noria.toml")])
    assert done.exit_code == status, (done.output, done.exception)
    return done


def rows(folder: Path) -> dict[str, Any]:
    """All rows that a rebuild writes."""
    engine = database.opened(folder)
    with engine.connect() as connection:
        found = {
            table.name: sorted(map(repr, connection.execute(sa.select(table)).mappings()))
            for table in (tank_now, tank_event, incident)
        }
    engine.dispose()
    return found


def filled(folder: Path, messages: int) -> Path:
    """A journal of June with ``messages`` messages of 500 bytes, written without ingest."""
    (folder / "noria.toml").write_text('data = "."\n', encoding="utf-8")
    journal = Journal(folder / "journal.db", "g1")
    for first in range(0, messages, 2000):
        with journal.transaction():
            for n in range(first, min(messages, first + 2000)):
                body = b"noria/1/k7f3q5/up\n%d %s" % (n, b"x%d" % (n * n) * 50)
                journal.log.append("msg", JUNE + n, "k7f3q5", body)
    journal.close()
    return folder

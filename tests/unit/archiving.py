"""Journals of a few months, and what archiving leaves of them."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from gateway.journal.archive.span import LARGEST
from gateway.journal.archive.writer import ArchiveProgress, ArchiveStep, ArchiveWriter
from gateway.journal.writer import Journal
from tests.unit.journaled import rows


def utc(year: int, month: int, day: int) -> float:
    return datetime(year, month, day, tzinfo=UTC).timestamp()


JANUARY, FEBRUARY, MARCH = utc(2026, 1, 1), utc(2026, 2, 1), utc(2026, 3, 1)


def written(path: Path, *times: float, kind: str = "msg", size: int = 9) -> None:
    """Append an entry at each time, in one batch."""
    journal = Journal(path, "g1")
    with journal.transaction():
        for n, at in enumerate(times):
            body = b"%d" % n + b"x" * (size - 1)
            if kind == "open":
                body = b'{"origin":"aaaa"}'
            journal.log.append(kind, at, "-", body)
    journal.close()


def archive(
    path: Path, before: float, largest: int = LARGEST
) -> tuple[list[ArchiveStep], ArchiveProgress]:
    with closing(ArchiveWriter(path, largest)) as run:
        return list(run.steps(before)), run.moved


def names(path: Path) -> list[str]:
    return sorted(one.name for one in (path.parent / "archive").glob("*.archive"))


def left(path: Path) -> list[int]:
    return [entry for (entry,) in rows(path, "SELECT entry FROM body ORDER BY entry")]

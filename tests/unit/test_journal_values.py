"""Values of the journal cannot be changed, and none takes an attribute that it does not have."""

from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from gateway.domain.merkle import Frontier
from gateway.journal.archive.span import MonthSpan
from gateway.journal.archive.writer import ArchiveProgress, ArchiveStep
from gateway.journal.counters import Mark
from gateway.journal.integrity.verify import VerifyProgress
from gateway.journal.integrity.witness import LogMark

VALUES = [
    Mark("d", "gap", 1, 2), LogMark("a", Frontier()), MonthSpan("2026-01", 1, 2),
    ArchiveStep("w", 1, 2),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_frozen(value: Any) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(value, fields(value)[0].name, None)


@pytest.mark.parametrize("value", [*VALUES, ArchiveProgress(), VerifyProgress()])
def test_a_value_has_slots(value: object) -> None:
    assert not hasattr(value, "__dict__")


def test_totals_begin_at_zero() -> None:
    assert ArchiveProgress() == ArchiveProgress(0, 0, 0, 0)
    assert VerifyProgress() == VerifyProgress(0, 0, 0, 0, "", [], [])

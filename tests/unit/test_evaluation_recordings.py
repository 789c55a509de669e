"""Recordings with weak truth: refills by overlap, thefts, losses, faults."""

import gzip
import json
from pathlib import Path

import pytest

from gateway.domain.outputs import THEFT_KINDS, TankEvent
from gateway.errors import NoriaError
from gateway.evaluation import against, recordings
from gateway.evaluation.catalog import make
from gateway.evaluation.sheet import Sheet
from gateway.registry import toml

T0 = 1_780_000_000.0


def _refill(at: float, until: float) -> TankEvent:
    return TankEvent(at, until, "t", "refill", 5.0)


def test_refills_of_a_recording_match_by_overlap_with_its_own_slack() -> None:
    true = [[T0, T0 + 600], [T0 + 9000, T0 + 9600]]
    events = [
        _refill(T0 + 700, T0 + 800),
        _refill(T0 + 400, T0 + 500),
        _refill(T0 + 5000, T0 + 5100),
    ]
    assert recordings.overlaps(true, events, 100) == (2, 3, 1, 2)
    assert recordings.overlaps(true, events, 99) == (1, 3, 1, 2)
    draw = TankEvent(T0, T0 + 100, "t", "draw", 5.0)
    assert recordings.overlaps(true, [draw], 100) == (0, 0, 0, 2)


def test_a_recording_of_a_theft_is_found_and_timed(tmp_path: Path) -> None:
    story = make("seized", 0)
    cause = next(c for c in story.truth.causes if c.kind == "seized")
    with gzip.open(tmp_path / "one.jsonl.gz", "wb") as file:
        file.write(b"\n".join(story.lines))
    (tmp_path / "one.toml").write_text(toml.write(story.registry, with_keys=True), "utf-8")
    (tmp_path / "one.truth.json").write_text(json.dumps({"refills": [], "at": cause.at}), "utf-8")
    (found,) = recordings.run(tmp_path)
    assert found.has_loss
    assert found.loss_kind in THEFT_KINDS
    assert found.loss_delay_s is not None
    assert 0 < found.loss_delay_s < 3600
    assert found.refills_f1 is None
    assert f"called {found.loss_kind} after" in recordings.table([found])


def test_a_folder_without_recordings_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoriaError, match=str(tmp_path)):
        list(recordings.run(tmp_path))


def test_the_comparison_shows_both_figures_and_the_change() -> None:
    before = Sheet(ordinary_days=365.25, ordinary_false_thefts=27)
    now = Sheet(ordinary_days=365.25, ordinary_false_thefts=2)
    row = next(li for li in against.table("v0.1", before, now).splitlines() if "tank-year of" in li)
    assert row.split()[-5:] == ["27", "2", "-25", "<", "1"]


def test_only_a_source_checkout_can_compare(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(against, "_ROOT", tmp_path)
    with pytest.raises(NoriaError, match="no source checkout"):
        against.run("HEAD", [], 1)

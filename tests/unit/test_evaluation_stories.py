"""Every kind of story: the same bytes from the same seed, usable lines, a truth that fits."""

import json
from dataclasses import replace

import pytest

from gateway.domain.outputs import THEFT_KINDS, IncidentChange
from gateway.errors import NoriaError
from gateway.evaluation import plan, trial
from gateway.evaluation.catalog import KINDS, kind_of, make, seed_of
from gateway.evaluation.sheet import score
from gateway.evaluation.story_files import write
from gateway.evaluation.trial import Trial
from gateway.evaluation.truth import TrueCause
from gateway.registry import toml

SHORT = [name for name in KINDS if name != "ordinary"]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    one, again, other = make("seized", 4), make("seized", 4), make("seized", 6)
    assert one.lines == again.lines
    assert one.truth == again.truth
    assert one.registry == again.registry
    assert one.lines != other.lines


@pytest.mark.parametrize("name", SHORT)
def test_a_story_has_ordered_lines_and_labels_of_its_group(name: str) -> None:
    story = make(name, 0)
    received = [json.loads(line)["received"] for line in story.lines]
    assert received == sorted(received)
    assert story.truth.start <= received[0]
    assert received[-1] <= story.truth.end
    is_theft = any(cause.kind in THEFT_KINDS for cause in story.truth.causes)
    assert is_theft == (story.kind.group == "theft")
    tanks = set(story.registry.tanks)
    assert {cause.tank for cause in story.truth.causes} <= {*tanks, None}
    for tank, rows in story.truth.levels.items():
        capacity = story.registry.tanks[tank][-1].capacity_l
        assert all(0 <= litres <= capacity * 1.03 for _, litres, _, _ in rows)


def test_the_watch_can_use_every_line_and_finds_a_plain_theft() -> None:
    story = make("seized", 0)
    found = trial.run(story.registry, story.lines)
    assert found.unusable == {}
    assert found.readings > 100
    sheet = score(story, found)
    assert [d.kind for d in sheet.detections] == ["seized"]


def test_a_probability_is_compared_with_what_it_is_about() -> None:
    story = make("network_out", 0)
    at = next(c.at for c in story.truth.causes if c.uplink)
    tank = next(iter(story.registry.tanks))

    def is_right(kind: str, when: float, cause: TrueCause | None) -> bool:
        change = IncidentChange(
            "i", "opened", 1, when, when, tank, None, "unknown", 0.6, {}, (), "mac", True
        )
        truth = replace(story.truth, causes=[c for c in (*story.truth.causes, cause) if c])
        trial = Trial(changes=[replace(change, kind=kind)])
        (belief,) = score(replace(story, truth=truth), trial).beliefs
        return belief.is_right

    def cause(kind: str, *accepts: str, when: float) -> TrueCause:
        return TrueCause(kind, accepts, when, when + 60, tank)

    early = story.truth.start + 3600
    assert is_right("silent", early, cause("battery", "battery", "silent", when=early))
    assert not is_right("silent", at + 60, cause("none", "silent", when=at + 60))
    assert is_right("slashed", early, cause("drained", "drained", when=early))
    assert not is_right("slashed", early, cause("none", "none", when=early))
    question = cause("none", "none", "access_blocked", when=early)
    assert not is_right("access_blocked", early, question)
    assert is_right("access_blocked", early, replace(question, kind="access_blocked"))


def test_water_is_neither_made_nor_lost() -> None:
    story = make("small_deliveries", 2)
    for tank, rows in story.truth.levels.items():
        first, last = rows[0], rows[-1]
        delivered = sum(
            r.litres for r in story.truth.refills if r.tank == tank and r.until <= last[0]
        )
        change = delivered - (last[2] - first[2]) - (last[3] - first[3])
        assert last[1] - first[1] == pytest.approx(change, abs=0.05 * delivered + 5)


def test_seeds_for_fitting_and_for_the_report_are_disjoint() -> None:
    fit = {seed_of(i, "fit") for i in range(50)}
    report = {seed_of(i, "report") for i in range(50)}
    assert len(fit) == len(report) == 50
    assert fit & report == set()


def test_the_plan_has_the_years_and_the_seeds_that_were_asked_for() -> None:
    names = plan.names(10.0, 3)
    ordinary = [seed for kind, seed in names if kind == "ordinary"]
    assert len(ordinary) == round(10 * 365.25 / 30 / 1.75)
    assert [seed for kind, seed in names if kind == "leak"] == [0, 2, 4]
    assert plan.names(0.0, 1, ("leak",), "fit") == [("leak", 1)]


def test_an_unknown_kind_names_those_that_exist() -> None:
    with pytest.raises(NoriaError, match="slashed"):
        kind_of("burgled")


def test_a_story_as_files_is_what_the_replay_command_reads(tmp_path) -> None:
    story = make("slashed", 2)
    write(story, tmp_path)
    assert toml.read(tmp_path / "registry.toml").tanks.keys() == story.registry.tanks.keys()
    assert (tmp_path / "lines.jsonl").read_bytes().splitlines() == story.lines
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert truth["causes"][-1]["kind"] == story.truth.causes[-1].kind

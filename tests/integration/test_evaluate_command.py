"""``noria evaluate`` as people run it: stories as files, real recordings, another commit."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from server.command.main import cli


def _noria(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), catch_exceptions=False)


def test_a_story_is_written_as_files_that_replay_reads_to_their_end(tmp_path: Path) -> None:
    done = _noria("evaluate", "--story", "seized:0", "--dump", str(tmp_path))
    assert done.exit_code == 0, done.output
    assert "recall" in done.output
    registry, lines = str(tmp_path / "registry.toml"), str(tmp_path / "lines.jsonl")
    replayed = _noria("replay", "--registry", registry, "--trust", "--only", "incident", lines)
    assert replayed.exit_code == 0, replayed.output
    truth = json.loads((tmp_path / "truth.json").read_text("utf-8"))
    assert [c["kind"] for c in truth["causes"] if c["kind"] == "seized"] == ["seized"]


def test_the_same_stories_in_one_process_and_in_two_give_the_same_figures(tmp_path: Path) -> None:
    def figures(jobs: int) -> dict[str, object]:
        file = tmp_path / f"{jobs}.json"
        kinds = ("--kind", "knocks", "--kind", "seized")
        wanted = ("--seeds", "2", "--jobs", str(jobs), "--json", str(file))
        assert _noria("evaluate", *kinds, *wanted, "--list", "all").exit_code == 0
        found = json.loads(file.read_text("utf-8"))
        del found["scores"]["speed: readings/s in replay"]
        return found

    one = figures(1)
    assert one == figures(2)
    assert one["stories"] == 4


def test_a_commit_against_itself_changes_nothing() -> None:
    done = _noria(
        "evaluate", "--kind", "seized", "--seeds", "1", "--jobs", "1", "--against", "HEAD"
    )
    assert done.exit_code == 0, done.output
    row = next(line for line in done.output.splitlines() if "onset error, minutes, median" in line
               and "HEAD" not in line and "+0" in line)  # fmt: skip
    assert row.count("+0") == 1


def test_an_unknown_commit_is_named() -> None:
    done = CliRunner().invoke(
        cli, ["evaluate", "--kind", "seized", "--seeds", "1", "--against", "x9"]
    )
    assert done.exit_code != 0
    assert "x9" in str(done.exception)

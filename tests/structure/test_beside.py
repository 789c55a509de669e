"""A run in two halves has one summary, and a half that dies fails its tests (tests/beside.py)."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.structure import tree

HERE = "def test_here(): pass\n"
THERE = """
import os, pytest
def test_right(): pass
def test_wrong(): assert 1 == 2, 'as it should'
@pytest.mark.skip(reason='not here')
def test_skipped(): pass
@pytest.mark.parametrize('text', ['a b', '[]::'])
def test_with_a_name(text): pass
"""


def run(folder: Path, there: str, *options: str) -> tuple[str, str]:
    """The output of both halves, and the JUnit file."""
    for name, text in (("here", HERE), ("there", there)):
        (folder / name).mkdir()
        (folder / name / f"test_{name}.py").write_text(text)
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-p", "tests.beside", "--beside=there",
            "-p", "no:cacheprovider", "--rootdir=.", "--junitxml=j.xml", "-rs", *options, ".",
        ],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(tree.ROOT)},
    )  # fmt: skip
    return done.stdout + done.stderr, (folder / "j.xml").read_text()


def test_the_outcomes_of_both_halves_are_one_summary(tmp_path: Path) -> None:
    output, junit = run(tmp_path, THERE, "-k", "not deselected")
    assert re.search(r"1 failed, 4 passed, 1 skipped in", output.splitlines()[-1])
    assert "as it should" in output
    assert "not here" in output
    assert junit.count("<testcase ") == 6
    assert 'tests="6"' in junit


def test_what_a_dead_half_did_not_run_has_failed(tmp_path: Path) -> None:
    output, junit = run(tmp_path, THERE + "def test_dies(): os._exit(7)\ndef test_z(): pass\n")
    assert re.search(r"3 failed, 4 passed, 1 skipped in", output.splitlines()[-1])
    assert output.count("the second pytest ended with status 7 before this test") == 2
    assert junit.count("<testcase ") == 8

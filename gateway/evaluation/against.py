"""The same stories through the watch of another commit, to show what a change of a rule does."""

import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from gateway.errors import NoriaError
from gateway.evaluation.plan import StoryName
from gateway.evaluation.report import shown
from gateway.evaluation.scores import Score, scores
from gateway.evaluation.sheet import Sheet

_ROOT = Path(__file__).parents[2]
_ROOM = Path("gateway/evaluation")


def run(ref: str, stories: Sequence[StoryName], jobs: int) -> Sheet:
    """The sheet of ``stories`` with the code of ``ref`` (a commit, branch or tag).

    The files of ``ref`` are unpacked into a temporary folder; this version of the evaluation is
    put into it, so that stories and scores are the same. Raises NoriaError when this is no
    source checkout, ``ref`` does not exist, or its watch cannot be run by this version.
    """
    packed = _git("archive", "--format=tar", ref, "gateway")
    with TemporaryDirectory(prefix="noria-evaluate-") as name:
        folder = Path(name)
        with tarfile.open(fileobj=BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        shutil.rmtree(folder / _ROOM, ignore_errors=True)
        shutil.copytree(_ROOT / _ROOM, folder / _ROOM)
        done = subprocess.run(
            [sys.executable, "-m", "gateway.evaluation.worker"],
            input=msgspec.json.encode({"stories": stories, "jobs": jobs}),
            stdout=subprocess.PIPE,
            cwd=folder,
            env={"PYTHONPATH": name, "PATH": ""},
            check=False,
        )
    if done.returncode:
        raise NoriaError(f"the watch of {ref} could not be run: see the lines above")
    return msgspec.json.decode(done.stdout, type=Sheet)


def _git(*arguments: str) -> bytes:
    program = shutil.which("git")
    if program is None or not (_ROOT / ".git").exists():
        raise NoriaError(
            f"--against compares commits, and {_ROOT} is no source checkout: clone the repository"
        )
    done = subprocess.run(  # noqa: S603 - git, with a name that it checks itself
        [program, *arguments], cwd=_ROOT, capture_output=True, check=False
    )
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip()
        raise NoriaError(f"git {' '.join(arguments)}: {reason}")
    return done.stdout


def table(ref: str, before: Sheet, now: Sheet) -> str:
    """Both sheets side by side, with the difference."""
    rows = [f"{'':<62} {ref[:12]:>12} {'now':>9} {'change':>9}  goal"]
    rows += _rows(scores(before), scores(now))
    return "\n".join(rows)


def _rows(before: Sequence[Score], now: Sequence[Score]) -> Iterator[str]:
    for old, new in zip(before, now, strict=True):
        change = ""
        if old.value is not None and new.value is not None:
            change = f"{new.value - old.value:+.3g}"
        name = f"{new.group:<9} {new.name}"
        yield (
            f"{name:<62} {shown(old.value):>12} {shown(new.value):>9} {change:>9}  {new.goal}"
        ).rstrip()

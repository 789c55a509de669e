"""The pure node on the real interpreter: each check of ``on_device/`` is a test here."""

import ast
import functools
import json
import os
import subprocess
from pathlib import Path

import pytest

from firmware.virtual.host import interpreter
from tests.parts import require

HERE = Path(__file__).parent
DEVICE = HERE.parents[1] / "firmware" / "device"
VECTORS = HERE.parent / "vectors"
MODULES = sorted(file.stem for file in (HERE / "on_device").glob("*_checks.py"))
CUTS = 1000
"""Power cuts of the run that ``make bench`` makes in each of two tests; 200 otherwise."""


def _names(module: str) -> list[str]:
    tree = ast.parse((HERE / "on_device" / f"{module}.py").read_text(encoding="utf-8"))
    functions = (node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    return [name for name in functions if name.startswith("test_")]


@functools.cache
def _outcomes(module: str, cuts: int = 200) -> dict[str, str | None]:
    require("micropython")
    found = interpreter.find()
    assert found is not None
    command = found.command(
        [str(HERE / "on_device" / "run.py"), module, str(VECTORS)],
        heap="24M",  # the flash of many boards; each collection walks all of it
        micropypath=[str(DEVICE), str(HERE / "on_device")],
    )
    ran = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=100 + cuts / 4,
        env={**os.environ, "NORIA_CUTS": str(cuts)},
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    said = ran.stdout.splitlines()
    print("\n".join(line for line in said if line.startswith("#")))
    lines = [json.loads(line) for line in said if not line.startswith("#")]
    return {line["name"]: line["error"] for line in lines}


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module in MODULES for name in _names(module)]
)
def test_it_holds_on_micropython(module: str, name: str) -> None:
    error = _outcomes(module)[name]
    assert error is None, error


@pytest.mark.benchmark
@pytest.mark.timeout(600)
def test_a_thousand_power_cuts_lose_nothing() -> None:
    """1,000 at any byte and 1,000 that tear pages and erases; and the rest of those checks."""
    assert {name for name, error in _outcomes("cut_checks", CUTS).items() if error} == set()

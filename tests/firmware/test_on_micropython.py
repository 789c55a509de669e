"""The pure node on the real interpreter: each check of ``on_device/`` is a test here."""

import ast

import pytest

from tests.firmware.on_micropython import CUTS, HERE, RUNS
from tests.parts import require

MODULES = sorted(file.stem for file in (HERE / "on_device").glob("*_checks.py"))
WHOLE = 1000
"""Power cuts that ``make bench`` makes in each of two tests, and the size of the others there."""


def _names(module: str) -> list[str]:
    tree = ast.parse((HERE / "on_device" / f"{module}.py").read_text(encoding="utf-8"))
    functions = (node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    return [name for name in functions if name.startswith("test_")]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module in MODULES for name in _names(module)]
)
def test_it_holds_on_micropython(module: str, name: str) -> None:
    require("micropython")
    error = RUNS.outcomes(module, CUTS)[name]
    assert error is None, error


@pytest.mark.benchmark
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("module", ["cut_checks", "volume_checks", "forgery_checks"])
def test_at_their_full_size(module: str) -> None:
    """1,000 power cuts at any byte, 1,000 that tear pages and erases; a month in the whole flash;
    hostile acks to thirty rings.
    """
    require("micropython")
    outcomes = RUNS.outcomes(module, WHOLE)
    assert outcomes and {name: error for name, error in outcomes.items() if error} == {}

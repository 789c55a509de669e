"""A virtual board on each interpreter that can run the firmware."""

from pathlib import Path

import pytest

from tests.firmware.virtual.bench import Bench
from tests.parts import require


@pytest.fixture(params=["micropython", "cpython"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """A board whose main.py the test writes."""
    if request.param == "micropython":
        require("micropython")
    return Bench(tmp_path, request.param)

"""What the tests of the maker's commands share."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result

Noria = Callable[..., Result]


def made(noria: Noria, *more: str, tank: str = "north-1", typed: str = "word\n") -> dict[str, Any]:
    result = noria("device", "new", "--tank", tank, "--out", "made", *more, typed=typed)
    assert result.exit_code == 0, result.output
    return json.loads(Path("made/config.json").read_text())

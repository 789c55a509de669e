"""A journal with one node, and a new installation with the command that runs on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installation import Noria, installed
from tests.integration.listening import Listening


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Listening]:
    """A journal that listens to one node."""
    made = Listening(tmp_path)
    yield made
    made.journal.close()


@pytest.fixture
def noria(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Noria:
    """Runs the command on a new installation in ``tmp_path/noria``."""
    return installed(tmp_path, monkeypatch)

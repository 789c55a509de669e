"""The interpreter is found where it is, fetched where it is not, and named when it is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from firmware.virtual.host import apt, fleet, interpreter
from firmware.virtual.host.interpreter import Interpreter
from tests.parts import missing, require

HELLO = ["-c", "import sys; print(sys.implementation.name, sys.path[1:3])"]


def run(found: Interpreter, **options: str) -> str:
    command = found.command(HELLO, heap=None, **options)
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_micropython_runs_with_the_search_path_given() -> None:
    require("micropython")
    found = interpreter.find()
    assert found is not None
    assert found.name.startswith("MicroPython 1.")
    assert run(found, micropypath="/shims:/lib") == "micropython ['/shims', '/lib']"


def test_the_heap_is_as_small_as_the_boards() -> None:
    require("micropython")
    found = interpreter.find()
    assert found is not None
    command = found.command(["-c", "bytearray(400000)"], heap="320K")
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "MemoryError" in ran.stdout + ran.stderr


def test_cpython_runs_with_the_same_search_path() -> None:
    found = interpreter.cpython()
    assert found.name == "CPython with the same shims"
    assert run(found, micropypath="/shims:.frozen:/lib") == "cpython ['/shims', '/lib']"


def test_a_wrong_name_in_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORIA_MICROPYTHON", sys.executable)
    with pytest.raises(ValueError, match=f"NORIA_MICROPYTHON={sys.executable}"):
        interpreter.find()


def test_without_path_and_cache_nothing_is_found_unless_it_may_be_fetched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("NORIA_MICROPYTHON", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(interpreter.shutil, "which", lambda name: None)
    assert interpreter.find() is None


def test_it_is_fetched_into_an_empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NORIA_MICROPYTHON", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    try:
        found = interpreter.find(fetch=True)
    except apt.FetchError as error:
        missing(f"MicroPython cannot be fetched here: {error}")
    assert found is not None
    assert str(tmp_path) in found.program[0] or found.program == ("/usr/bin/micropython",)
    assert run(found).startswith("micropython")
    assert not list((tmp_path / "noria").glob(".*")), "the fetch left its working folder"


def test_a_fleet_asks_for_an_interpreter_by_name() -> None:
    assert fleet.choose("cpython").kind == "cpython"
    with pytest.raises(fleet.FleetError, match="'lua'"):
        fleet.choose("lua")

"""Imports between the top-level folders, and what holds for every file of the tree."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.structure import tree

OURS = {"gateway", "server", "dashboards", "firmware", "tests"}

# Folder: prefixes of ours that it may import. The longest folder that matches decides.
ARROWS = {
    "gateway/domain": ("gateway.domain",),
    "gateway": ("gateway",),
    # Exceptions: the demo starts virtual boards, the noria command compiles the firmware and
    # includes the dashboards' commands. Nothing else of the server may import any of these.
    "server": ("server", "gateway"),
    "server/demo": ("server", "gateway", "firmware.virtual.host"),
    "server/command/device/stage.py": ("server", "firmware.compilation"),
    "server/command/release.py": ("server", "gateway", "firmware.compilation"),
    "server/command/dashboards.py": ("server", "gateway", "dashboards"),
    "dashboards": ("dashboards", "gateway.domain"),
    "firmware/virtual": ("firmware",),
}

# Names that fit any module, so they describe none.
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}

# Files over 300 lines, each with the reason why it cannot be split.
LONG: dict[str, str] = {}


def _violations() -> Iterator[str]:
    for path in tree.sources(*ARROWS):
        folder = max((f for f in ARROWS if path.is_relative_to(f)), key=len)
        for module in tree.imports(path):
            ours = module.split(".")[0] in OURS
            if ours and not _allowed(module, ARROWS[folder]):
                yield f"{path} imports {module}"


def _allowed(module: str, prefixes: tuple[str, ...]) -> bool:
    parts = module.split(".")
    # "from gateway import domain" yields "gateway" first: the second name decides.
    return any(
        parts[: len(wanted)] == wanted or (wanted[: len(parts)] == parts and len(parts) == 1)
        for wanted in (prefix.split(".") for prefix in prefixes)
    )


def test_imports_follow_the_arrows() -> None:
    assert list(_violations()) == []


def test_the_domain_imports_only_the_standard_library() -> None:
    foreign = [
        f"{path} imports {module}"
        for path in tree.sources("gateway/domain")
        for module in tree.imports(path)
        if (top := module.split(".")[0]) not in sys.stdlib_module_names and top != "gateway"
    ]
    assert foreign == []


@pytest.mark.parametrize("module", ["time", "logging", "random", "socket", "sqlite3", "os"])
def test_the_domain_reads_no_clock_draws_no_numbers_and_does_no_io(module: str) -> None:
    used = [p for p in tree.sources("gateway/domain") if module in set(tree.imports(p))]
    assert used == []


def test_only_board_files_import_the_hardware_modules() -> None:
    touching = [
        str(path.relative_to("firmware/device"))
        for path in tree.sources("firmware/device")
        if {"machine", "network", "esp32"} & set(tree.imports(path))
        and path.parts[2] not in ("board", "boot.py", "main.py")
    ]
    assert touching == []


def test_no_module_has_a_name_that_fits_any_module() -> None:
    named = [p for p in tree.sources() if EMPTY_NAMES & {p.stem, *p.parent.parts}]
    assert named == []


def test_files_stay_within_300_lines() -> None:
    long = {
        str(path): lines
        for path in tree.sources()
        if (lines := len((tree.ROOT / path).read_text("utf-8").splitlines())) > 300
    }
    assert long.keys() == LONG.keys(), long


def test_every_public_function_and_class_has_a_docstring() -> None:
    silent = [
        f"{path}:{node.lineno} {node.name}"
        for path in tree.sources("gateway", "server", "dashboards", "firmware/virtual/host")
        for node in _public(tree.parsed(path))
        if ast.get_docstring(node) is None
    ]
    assert silent == []


def _public(
    node: ast.Module | ast.ClassDef,
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if child.name.startswith("_") or _overloaded(child):
                continue
            yield child
            if isinstance(child, ast.ClassDef):
                yield from _public(child)


def _overloaded(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    return any("overload" in ast.unparse(mark) for mark in node.decorator_list)


def test_every_room_has_a_readme_of_one_screen() -> None:
    for room in tree.ROOMS:
        readme = tree.ROOT / room / "README.md"
        assert readme.is_file(), f"{room}/README.md is missing"
        lines = len(readme.read_text("utf-8").splitlines())
        assert 5 <= lines <= 80, f"{room}/README.md has {lines} lines"


def test_a_wrong_import_is_noticed() -> None:
    assert not _allowed("server.app", ARROWS["gateway"])
    assert not _allowed("gateway.journal", ARROWS["dashboards"])
    assert _allowed("gateway.domain.outputs", ARROWS["dashboards"])
    assert _allowed("gateway", ARROWS["dashboards"])
    assert not _allowed("gateway.errors", ARROWS["gateway/domain"])


def test_relative_imports_are_resolved(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text("from ..journal import entry\n")
    node = tree.parsed(path).body[0]
    assert isinstance(node, ast.ImportFrom)
    assert tree.absolute(Path("gateway/domain/x.py"), node) == "gateway.journal"

"""The project's own files, as the tests about its shape read them."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("firmware", "gateway", "server", "dashboards", "hardware", "tests")


def files(*suffixes: str) -> list[Path]:
    """Files that git knows or would take, relative to the root, with one of ``suffixes``."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    names = sorted({Path(name) for name in listed.split("\0") if name})
    there = (name for name in names if (ROOT / name).is_file())
    return [name for name in there if not suffixes or name.suffix in suffixes]


def sources(*folders: str) -> list[Path]:
    """Python files below ``folders`` (all where none is named)."""
    return [
        path
        for path in files(".py")
        if not folders or any(path.is_relative_to(folder) for folder in folders)
    ]


def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file given relative to the root."""
    return ast.parse((ROOT / path).read_text("utf-8"), filename=str(path))


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, wherever in it, by full dotted name."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(path, node)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def absolute(path: Path, node: ast.ImportFrom) -> str:
    """The dotted name that an import in ``path`` means, relative ones resolved."""
    if not node.level:
        return node.module or ""
    package = path.parts[: len(path.parts) - node.level]
    return ".".join((*package, *([node.module] if node.module else [])))

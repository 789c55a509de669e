"""The project's own files, as the tests about its shape read them."""

import ast
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("firmware", "gateway", "server", "dashboards", "hardware", "tests")

Graph = Mapping[str, set[str]]
"""Node to the nodes that it imports."""


def files(*suffixes: str) -> list[Path]:
    """Files that git tracks or would add, relative to the root, with one of ``suffixes``."""
    return [name for name in _all_files() if not suffixes or name.suffix in suffixes]


@cache
def _all_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    names = sorted({Path(name) for name in listed.split("\0") if name})
    return [name for name in names if (ROOT / name).is_file()]


@cache
def text(path: Path) -> str:
    """The text of a file given relative to the root; empty for a binary file."""
    data = (ROOT / path).read_bytes()
    return "" if b"\0" in data else data.decode("utf-8", errors="replace")


def sources(*folders: str) -> list[Path]:
    """Python files below ``folders`` (all where none is named)."""
    return [
        path
        for path in files(".py")
        if not folders or any(path.is_relative_to(folder) for folder in folders)
    ]


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file given relative to the root."""
    return ast.parse((ROOT / path).read_text("utf-8"), filename=str(path))


@cache
def imports(path: Path) -> list[str]:
    """Every name a file imports, wherever in it, by full dotted name.

    ``from a import b`` yields ``a`` and ``a.b``: which of the two is a module, the file alone does
    not show.
    """
    return [name for names in _import_statements(path) for name in names]


def _import_statements(path: Path) -> Iterator[list[str]]:
    """For each imported name: the modules that it can mean, the longest last."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from ([alias.name] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(path, node)
            yield from ([base, f"{base}.{alias.name}"] for alias in node.names)


def absolute(path: Path, node: ast.ImportFrom) -> str:
    """The dotted name that an import in ``path`` means, relative ones resolved."""
    if not node.level:
        return node.module or ""
    package = path.parts[: len(path.parts) - node.level]
    return ".".join((*package, *([node.module] if node.module else [])))


@cache
def modules(folder: str, root: str = "") -> dict[str, set[str]]:
    """Every module below ``folder`` and those of them that it imports.

    ``root``: the folder that imports start from, where it is not the project's own.
    """
    found = {_dotted(path.relative_to(root)): path for path in sources(folder)}
    return {
        name: {
            target
            for names in _import_statements(path)
            if (target := next((n for n in reversed(names) if n in found), name)) != name
        }
        for name, path in found.items()
    }


def _dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def siblings(graph: Graph) -> dict[str, dict[str, set[str]]]:
    """For each package, the graph of its children: what is imported between their insides."""
    found: dict[str, dict[str, set[str]]] = {}
    for name, targets in graph.items():
        for target in targets:
            ours, theirs = name.split("."), target.split(".")
            pairs = enumerate(zip(ours, theirs, strict=False))
            same = next((i for i, (a, b) in pairs if a != b), None)
            if same is not None:  # else one contains the other
                children = found.setdefault(".".join(ours[:same]), {})
                children.setdefault(ours[same], set()).add(theirs[same])
    return found


def on_cycles(graph: Graph) -> set[str]:
    """Nodes from which imports lead back to themselves."""
    return {node for node in graph if node in _reachable(graph, graph[node])}


def _reachable(graph: Graph, start: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    ahead = list(start)
    while ahead:
        node = ahead.pop()
        if node not in seen:
            seen.add(node)
            ahead.extend(graph.get(node, ()))
    return seen

"""Shortens names of a build before it is compiled: on a board without ROMFS they fill its heap.

MicroPython keeps every name that it has loaded, also those of modules that are unloaded again: its
characters and 7 bytes in tables that double in size. Attributes and functions that begin with an
underscore are used in one module only, and parameters in one function; so those of all modules can
share a few short names. Public names, names of modules and keywords stay as they are.
"""

import ast
import itertools
import string
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence


def shortened(sources: Mapping[str, str]) -> dict[str, str]:
    """The sources of one build, path to text, with short names. They mean the same.

    Raises SyntaxError for a source that is none.
    """
    trees = {path: ast.parse(text, path) for path, text in sources.items()}
    keywords = {
        node.arg
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg
    }
    for related in _families(trees):
        _Shortener(_private(related), _parameters(related, keywords)).visit_all(related)
    return {path: ast.unparse(tree) for path, tree in trees.items()}


def _families(trees: Mapping[str, ast.Module]) -> Iterator[list[ast.Module]]:
    """Modules whose classes inherit from each other: they share private names."""
    leaves = {path.rpartition("/")[2].removesuffix(".py"): path for path in trees}
    family = {path: {path} for path in trees}
    for path, tree in trees.items():
        for base in _bases(tree):
            parent = leaves.get(base)
            if parent and parent != path:
                merged = family[path] | family[parent]
                family.update(dict.fromkeys(merged, merged))
    for members in {tuple(sorted(members)) for members in family.values()}:
        yield [trees[path] for path in members]


def _bases(tree: ast.Module) -> Iterator[str]:
    """The modules of base classes, by the name under which they were imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for base in node.bases:
                if isinstance(base, ast.Attribute) and isinstance(base.value, ast.Name):
                    yield base.value.id


def _private(trees: Sequence[ast.Module]) -> dict[str, str]:
    """Names that begin with one underscore, the most frequent first; never those of ``const``,
    which the compiler replaces by their values."""
    found = Counter(name for tree in trees for name in _identifiers(tree) if _is_private(name))
    for name in {name for tree in trees for name in _constants(tree)}:
        del found[name]
    return dict(zip(_by_use(found), _short("_", found), strict=False))


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and len(name) > 1


def _constants(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Name)
            and node.value.func.id == "const"
        ):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _parameters(trees: Sequence[ast.Module], keywords: set[str]) -> dict[str, str]:
    """Parameters that no call names and that nothing outside of functions has as its name."""
    used = Counter(node.id for tree in trees for node in _names(tree))
    fixed = keywords | {"self", "cls"} | {name for tree in trees for name in _bound(tree)}
    nodes = [node for tree in trees for node in ast.walk(tree)]
    given = {node.arg for node in nodes if isinstance(node, ast.arg)} - fixed
    found = Counter({name: used[name] for name in given if not name.startswith("_")})
    return dict(zip(_by_use(found), _short("", set(used) | fixed | given), strict=False))


def _bound(tree: ast.Module) -> Iterator[str]:
    """What modules and classes bind; definitions, imports, ``global``, ``nonlocal`` anywhere."""
    yield from (n.id for n in _outside(tree) if isinstance(n, ast.Name) and _stores(n))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield (alias.asname or alias.name).partition(".")[0]
        elif isinstance(node, ast.Global | ast.Nonlocal):
            yield from node.names


def _outside(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes in no function."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield child
            yield from _outside(child)


def _stores(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _names(tree: ast.AST) -> Iterator[ast.Name]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Name))


def _identifiers(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def _by_use(found: Counter[str]) -> list[str]:
    return sorted(found, key=lambda name: (-found[name], name))


def _short(prefix: str, taken: Iterable[str]) -> Iterator[str]:
    """Unused names from the shortest on."""
    taken = set(taken)
    for length in itertools.count(1):
        for letters in itertools.product(string.ascii_lowercase, repeat=length):
            if (name := prefix + "".join(letters)) not in taken and name not in _RESERVED:
                yield name


_RESERVED = {"as", "if", "in", "is", "or"}


class _Shortener(ast.NodeVisitor):
    def __init__(self, private: Mapping[str, str], parameters: Mapping[str, str]) -> None:
        self._private = private
        self._local = {**private, **parameters}

    def visit_all(self, trees: Iterable[ast.Module]) -> None:
        for tree in trees:
            self.visit(tree)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        node.attr = self._private.get(node.attr, node.attr)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        node.id = self._local.get(node.id, node.id)

    def visit_arg(self, node: ast.arg) -> None:
        node.arg = self._local.get(node.arg, node.arg)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        node.name = self._private.get(node.name, node.name)
        self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        node.name = self._private.get(node.name, node.name)
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        node.name = self._local.get(node.name, node.name) if node.name else None
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        node.names = [self._private.get(name, name) for name in node.names]

    visit_Nonlocal = visit_Global

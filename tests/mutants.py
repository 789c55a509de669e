"""Mutation score of the modules that must not be wrong: ``make mutants``.

A seeded sample of small faults (cosmic-ray's operators: comparisons, numbers, arithmetic, booleans,
loops, exceptions) is put into each module, one at a time, in a copy of the tree; the module's tests
run on it. A fault that no test notices survives, and is printed with its line.

    python -m tests.mutants                          every module, 12 faults of each
    python -m tests.mutants gateway/domain --each 40 --seed 7
"""

import argparse
import ast
import contextlib
import difflib
import multiprocessing
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).resolve().parent.parent
TARGET = 0.90
LONGEST_S = 120.0
"""A fault that makes a loop endless counts as noticed."""

TESTED = ("gateway/domain", "gateway/wire", "gateway/journal", "gateway/alerts",
          "server/web/guard.py", "server/accounts")  # fmt: skip
ALSO: dict[str, tuple[str, ...]] = {
    # Room: tests that reach it through another module, or look at all of its modules; patterns.
    "gateway/domain": ("tests/unit/test_signatures.py",),
    "gateway/domain/watch": ("tests/unit/test_watch_*.py",),
    "gateway/wire": ("tests/unit/test_signatures.py", "tests/unit/test_authentic.py"),
    "gateway/journal": (
        "tests/integration/test_ingest.py", "tests/integration/test_journal_log.py",
        "tests/integration/test_restored.py", "tests/integration/test_archive.py",
    ),
    "gateway/alerts": (
        "tests/unit/test_alert_text.py", "tests/unit/test_alert_sentences.py",
        "tests/unit/test_alert_assembly.py", "tests/unit/test_alert_channels.py",
        "tests/unit/test_signatures.py",
    ),
}  # fmt: skip
PRELOADED = ["pytest", "hypothesis", "msgspec", "sqlalchemy.dialects.sqlite", "babel", "fastapi",
             "httpx", "apprise", "cryptography.hazmat.primitives.asymmetric.ed25519"]  # fmt: skip

_processes = multiprocessing.get_context("forkserver")


@dataclass(frozen=True)
class Mutant:
    """One fault: ``code`` is the whole module with it."""

    module: str
    operator: str
    code: str


def room_of(module: str) -> str:
    """The room of TESTED that holds the module."""
    return next(room for room in TESTED if module.startswith(room))


def tests_of(module: str) -> list[str]:
    """The unit tests that import the module, then those that ALSO names for its closest room.

    None: all unit tests.
    """
    package, _, name = module.removesuffix(".py").replace("/", ".").rpartition(".")
    imports = re.compile(rf"from {package}\.{name} import|from {package} import [^\n]*\b{name}\b")
    direct = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "tests/unit").glob("test_*.py"))
        if imports.search(path.read_text("utf-8"))
    ]
    room = max((room for room in ALSO if module.startswith(room)), key=len, default="")
    also = (str(p.relative_to(ROOT)) for one in ALSO.get(room, ()) for p in sorted(ROOT.glob(one)))
    return list(dict.fromkeys([*direct, *also])) or ["tests/unit"]


def modules(chosen: list[str]) -> list[str]:
    """Every module of TESTED below one of the ``chosen`` paths (none: all)."""
    found = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    return [
        path for path in found
        if path.startswith(TESTED)
        and not path.endswith("__init__.py")
        and (not chosen or any(path.startswith(one) for one in chosen))
    ]  # fmt: skip


def sample(module: str, number: int, chance: random.Random) -> list[Mutant]:
    """So many faults of a module, each at another place; none in annotations."""
    code = (ROOT / module).read_text("utf-8")
    nodes, sound = list(ast_nodes(get_ast(code))), _meaning(code)
    places: dict[object, list[tuple[str, int]]] = {}
    for name in sorted(operator_names()):
        operator_class = get_operator(name)
        if not operator_class.arguments():
            at = (spot for node in nodes for spot in operator_class().mutation_positions(node))
            for occurrence, spot in enumerate(at):
                places.setdefault(spot, []).append((name, occurrence))
    order = sorted(places, key=str)
    chance.shuffle(order)
    found: list[Mutant] = []
    for spot in order:
        name, occurrence = chance.choice(places[spot])
        # cosmic-ray fails on ``except a.b:``; a fault that is no Python is none.
        with contextlib.suppress(AttributeError, SyntaxError):
            mutated = mutate_code(code, get_operator(name)(), occurrence)
            if mutated is not None and _meaning(mutated) != sound:
                found.append(Mutant(module, name, mutated))
        if len(found) == number:
            break
    return found


class _Unannotated(ast.NodeTransformer):
    """Drops annotations: ``str - None`` there is no fault that a test could notice."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)


def _meaning(code: str) -> str:
    return ast.dump(_Unannotated().visit(ast.parse(code)))


def is_noticed(mutant: Mutant, tree: Path) -> bool:
    """Whether the module's tests fail on a copy of the tree that holds the mutant."""
    path = tree / mutant.module
    sound = path.read_text("utf-8")
    path.write_text(mutant.code, "utf-8")
    try:
        return not passes(tree, tests_of(mutant.module))
    finally:
        path.write_text(sound, "utf-8")


def passes(tree: Path, tests: list[str]) -> bool:
    """Whether these tests pass in ``tree``, within ``LONGEST_S``."""
    process = _processes.Process(target=_run, args=(str(tree), tests))
    process.start()
    process.join(LONGEST_S)
    if process.exitcode is None:
        process.kill()
        process.join()
    return process.exitcode == 0


def _run(tree: str, tests: list[str]) -> None:
    for name in [n for n in sys.modules if n.split(".")[0] in ("tests", "gateway", "server")]:
        del sys.modules[name]
    os.chdir(tree)
    sys.path[:] = [tree, *(p for p in sys.path if p not in ("", str(ROOT)))]
    os.environ["PYTHONPATH"] = tree
    os.environ.setdefault("NORIA_PROPERTIES", "100")
    sys.dont_write_bytecode = True
    import pytest

    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        options = ["-x", "-q", "-p", "no:cacheprovider", "-m", "not benchmark"]
        os._exit(int(pytest.main([*options, *tests])))


def fault(mutant: Mutant) -> str:
    """The changed lines of a mutant."""
    sound = (ROOT / mutant.module).read_text("utf-8").splitlines()
    changed = difflib.unified_diff(sound, mutant.code.splitlines(), n=0, lineterm="")
    return "\n".join(line for line in changed if not line.startswith(("---", "+++")))


def _compile_tests(tree: Path) -> None:
    """Let pytest save its form of the tests once; the runs on mutants write no bytecode."""
    subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/unit"], cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)}, check=True, capture_output=True,
    )  # fmt: skip
    for folder in (tree / "gateway", tree / "server"):
        for bytecode in folder.rglob("*.pyc"):
            bytecode.unlink()


@contextlib.contextmanager
def copies(number: int) -> Iterator[Queue[Path]]:
    """Copies of the tree, one for each that runs at the same time."""
    kept = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    with tempfile.TemporaryDirectory(prefix="noria-mutants-") as folder:
        free: Queue[Path] = Queue()
        for one in range(number):
            for path in kept:
                target = Path(folder, str(one), path)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / path, target)
            _compile_tests(Path(folder, str(one)))
            free.put(Path(folder, str(one)))
        yield free


def main() -> int:
    """Print the score of each module; 1 when one room is below the target."""
    parser = argparse.ArgumentParser(
        description="Mutation score of the modules that must not be wrong."
    )
    parser.add_argument("paths", nargs="*", help="modules or folders; none: all")
    parser.add_argument("--each", type=int, default=12, help="faults of each module (12)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at the same time")
    given = parser.parse_args()
    _processes.set_forkserver_preload(PRELOADED)
    chance = random.Random(given.seed)
    by_room: dict[str, list[bool]] = {}
    with copies(given.jobs) as free, ThreadPoolExecutor(given.jobs) as pool:

        def noticed(mutant: Mutant) -> bool:
            tree = free.get()
            try:
                return is_noticed(mutant, tree)
            finally:
                free.put(tree)

        for module in modules(given.paths):
            room = room_of(module)
            mutants = sample(module, given.each, chance)
            if not mutants:
                continue
            verdicts = list(pool.map(noticed, mutants))
            by_room.setdefault(room, []).extend(verdicts)
            print(f"{module}: {sum(verdicts)} of {len(verdicts)} noticed", flush=True)
            for mutant, seen in zip(mutants, verdicts, strict=True):
                if not seen:
                    print(f"  survives: {fault(mutant)}".replace("\n", "\n    "), flush=True)
    for room, verdicts in by_room.items():
        print(f"{room}: {sum(verdicts) / len(verdicts):.0%} of {len(verdicts)}")
    return int(any(sum(v) < TARGET * len(v) for v in by_room.values()))


if __name__ == "__main__":
    sys.exit(main())

"""The order of the firmware's folders: each imports only from those below it, without a circle."""

import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.structure import tree

DEVICE = Path("firmware/device")
SHIMS = Path("firmware/virtual/shims")

ORDER = (
    ".",  # boot, main, guard, slots, selftest
    "node",  # start, wake, config
    "node/update",
    "node/exchange",
    "node/measure",
    "node/policy",
    "node/storage",
    "board",
    "drivers",
    "lib",
)


def _modules(root: Path) -> dict[str, Path]:
    """Every module below ``root`` by the name that the device imports it by."""
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for path in tree.sources(str(root))
    }


def _arrows(modules: dict[str, Path]) -> Iterator[tuple[str, str]]:
    """(module, imported module), wherever in the file the import is."""
    for name, path in modules.items():
        for imported in sorted(set(tree.imports(path)) & modules.keys() - {name}):
            yield name, imported


def test_each_folder_imports_only_from_those_below_it() -> None:
    modules = _modules(DEVICE)
    folder = {name: str(path.relative_to(DEVICE).parent) for name, path in modules.items()}
    assert set(folder.values()) == set(ORDER)
    upward = [
        f"{name} imports {imported}"
        for name, imported in _arrows(modules)
        if ORDER.index(folder[name]) > ORDER.index(folder[imported])
    ]
    # slots.py is installed by cable and contains the places of a build's slots.
    assert upward == ["node.update.download imports slots"]


@pytest.mark.parametrize("root", [DEVICE, SHIMS], ids=["device", "shims"])
def test_no_imports_of_the_firmware_form_a_circle(root: Path) -> None:
    graph: dict[str, set[str]] = {}
    for name, imported in _arrows(_modules(root)):
        graph.setdefault(name, set()).add(imported)
    assert len(graph) > 5
    list(graphlib.TopologicalSorter(graph).static_order())  # CycleError names the circle

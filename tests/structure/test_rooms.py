"""The order of the gateway's rooms, and no import that leads back to where it came from."""

import ast
from collections import defaultdict
from itertools import pairwise

import pytest

from tests.structure import tree

ORDER = (
    ("program",),
    ("evaluation",),
    ("monitoring",),
    ("ingest",),
    ("alerts",),
    ("devices",),
    ("cluster",),
    ("projections",),
    ("stores",),
    ("mqtt",),
    ("registry",),
    ("journal",),
    ("database",),
    ("runtime",),
    ("wire",),
    ("settings", "errors", "text_file"),
    ("domain",),
)
"""Each room imports only from rooms below it; the files share a line. Type imports count."""

MOST_ARROWS = 100
"""Between rooms. Each is a dependency that a reader has to know before changing either side."""

MOST_FILES = 3
"""Loose Python files at the gateway's top level, beside ``__init__``."""

TREES = (
    ("gateway", ""),
    ("server", ""),
    ("dashboards", ""),
    ("firmware/virtual/host", ""),
    ("firmware/device", "firmware/device"),
)
"""Folder, and the folder that its imports start from. The shims are left out: their ``time`` is
MicroPython's own for one of them and ours for the others."""


def _rank() -> dict[str, int]:
    return {room: i for i, rooms in enumerate(reversed(ORDER)) for room in rooms}


def _rooms() -> tree.Graph:
    return tree.siblings(tree.modules("gateway"))["gateway"]


def test_every_room_has_its_place_in_the_order() -> None:
    found = {path.parts[1].removesuffix(".py") for path in tree.sources("gateway")}
    assert found - {"__init__"} == _rank().keys()


def test_a_room_imports_only_from_rooms_below() -> None:
    rank = _rank()
    upwards = {
        (room, other)
        for room, others in _rooms().items()
        for other in others
        if rank[other] > rank[room]
    }
    assert upwards == set()


def test_few_arrows_lead_from_room_to_room() -> None:
    assert sum(map(len, _rooms().values())) <= MOST_ARROWS


def test_few_files_are_outside_the_rooms() -> None:
    loose = [p.name for p in tree.sources("gateway") if len(p.parts) == 2]
    assert len(set(loose) - {"__init__.py"}) <= MOST_FILES, loose


@pytest.mark.parametrize(("folder", "root"), TREES)
def test_no_module_imports_itself_by_way_of_others(folder: str, root: str) -> None:
    assert tree.on_cycles(tree.modules(folder, root)) == set()


@pytest.mark.parametrize(("folder", "root"), TREES)
def test_no_package_imports_itself_by_way_of_others(folder: str, root: str) -> None:
    packages = tree.siblings(tree.modules(folder, root))
    cycles = {name: tree.on_cycles(graph) for name, graph in packages.items()}
    assert {name: nodes for name, nodes in cycles.items() if nodes} == {}


def test_no_two_public_classes_of_the_gateway_have_one_name() -> None:
    places = defaultdict[str, list[str]](list)
    for path in tree.sources("gateway"):
        for node in tree.parsed(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path))
    twice = {name: paths for name, paths in places.items() if len(paths) > 1}
    assert twice == {}


def test_a_cycle_is_found_among_modules_and_among_packages() -> None:
    graph = {"a.x.one": {"a.y.two"}, "a.y.two": {"a.y.three"}, "a.y.three": {"a.x.four"}}
    assert tree.on_cycles(graph) == set()
    assert tree.on_cycles(tree.siblings(graph)["a"]) == {"x", "y"}
    assert tree.on_cycles({**graph, "a.x.four": {"a.x.one"}}) == {*graph, "a.x.four"}


def test_an_import_of_what_a_package_contains_is_an_import_of_the_module() -> None:
    graph = tree.modules("gateway")
    assert "gateway.domain.registry" in graph["gateway.domain.geometry"]
    below = [room for rooms in ORDER for room in rooms]
    assert all(_rank()[upper] >= _rank()[lower] for upper, lower in pairwise(below))

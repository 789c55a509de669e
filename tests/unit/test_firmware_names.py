"""Short names mean the same: what only one module or function uses is renamed, and nothing else."""

import ast
import json
import subprocess
import sys
from pathlib import Path

from firmware.names import shortened

DEVICE = Path(__file__).parents[2] / "firmware" / "device"

PARENT = """
from micropython import const

_LIMIT = const(7)

class Parent:
    def __init__(self, number, *, label=""):
        self._number = number
        self.label = label

    def _doubled(self):
        return min(self._number * 2, _LIMIT)

    def total(self, more):
        return [self._doubled() + more for more in more]
"""
CHILD = """
import parent

_cache = {}

class Child(parent.Parent):
    def _doubled(self):
        return self._number

def _kept(key, make):
    try:
        return _cache[key]
    except KeyError as error:
        _cache[key] = found = make(error)
        return found

def made(number):
    return Child(number, label="x")
"""


_USE = """
import json, child, parent
made = child.made(3)
print(json.dumps([made.total([1, 2]), made.label, parent.Parent(5).total([0])]))
"""


def _run(folder: Path, sources: dict[str, str]) -> object:
    folder.mkdir()
    for name, text in {**sources, "micropython.py": "const = int"}.items():
        (folder / name).write_text(text)
    command = [sys.executable, "-c", _USE]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)


def test_the_shortened_build_does_the_same(tmp_path: Path) -> None:
    sources = {"parent.py": PARENT, "child.py": CHILD}
    as_written, short = tmp_path / "as_written", tmp_path / "short"
    assert _run(as_written, sources) == _run(short, shortened(sources)) == [[4, 5], "x", [7]]


def test_private_names_and_parameters_are_short_and_all_others_stay() -> None:
    parent, child = (shortened({"parent.py": PARENT, "child.py": CHILD})[f"{name}.py"]
                     for name in ("parent", "child"))  # fmt: skip
    for gone in ("_number", "_doubled", "_kept", "_cache", "more", "make"):
        assert gone not in parent + child, gone
    for kept in ("_LIMIT", "label=", "def total", "def made", "class Child", "parent.Parent"):
        assert kept in parent + child, kept


def test_it_is_the_same_each_time_and_every_file_of_the_firmware_still_parses() -> None:
    sources = {
        path.relative_to(DEVICE).as_posix(): path.read_text("utf-8")
        for path in DEVICE.rglob("*.py")
    }
    texts = shortened(sources)
    assert texts == shortened(sources)
    assert all(ast.parse(text) for text in texts.values())


def test_private_attributes_of_the_firmware_are_used_on_self_alone() -> None:
    """Short names rely on it: two modules may give one short name to different things."""
    elsewhere = [
        f"{path.relative_to(DEVICE)}:{node.lineno} {ast.unparse(node)}"
        for path in DEVICE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
    ]
    assert elsewhere == []


def test_no_text_of_the_firmware_names_a_private_attribute() -> None:
    """``getattr`` with such a text would miss what was renamed."""
    texts = [
        node.value
        for path in DEVICE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert [t for t in texts if t.startswith("_") and t.isidentifier() and len(t) > 1] == []


def test_the_firmware_asks_for_the_name_of_a_class_alone() -> None:
    """Of a private function it would be the short one."""
    asked = [
        ast.unparse(node.value)
        for path in DEVICE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "__name__"
    ]
    assert set(asked) == {"type(error)"}

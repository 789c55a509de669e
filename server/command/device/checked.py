"""The node's own check of config.json, on this computer: one verdict before and after flashing."""

import difflib
import functools
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from gateway.errors import NoriaError
from server.command.device.stage import CHIPS, DEVICE

_PARTS = {
    "wifi": ("ssid", "password"),
    "lte": ("apn", "user", "password"),
    "broker": ("host", "port", "login", "password", "ca"),
}
_TEXTS = ("device", "key", "release_key", "board", "temp_zero", "rest", "ntp")


class ConfigurationError(NoriaError):
    """A field of config.json cannot be used; the message begins with its name."""


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number of config.json: its default and its limits."""

    name: str
    default: int
    least: int
    most: int


def numbers() -> Iterator[Number]:
    """Every whole number that the firmware's table has, in its order."""
    for row in str(_firmware()._NUMBERS).splitlines():
        name, *values = row.split()
        yield Number(name, *map(int, values))


def choices() -> dict[str, list[str]]:
    """The values of each choice by its name, the default first."""
    rows = (row.split() for row in str(_firmware()._CHOICES).splitlines())
    return {name: values for name, *values in rows}


def check(given: Mapping[str, Any]) -> None:
    """Raise ConfigurationError unless the node would take ``given``, every name of it known."""
    known = {*_TEXTS, *_PARTS, *choices(), *(number.name for number in numbers())}
    known.update(str(_firmware()._FLAGS).split())
    _check_names("", given, known)
    for part, names in _PARTS.items():
        inside: Any = given.get(part) or {}
        for member in inside if isinstance(inside, list) else [inside]:  # pyright: ignore[reportUnknownVariableType] - from a file
            if isinstance(member, dict):
                _check_names(f"{part}.", member, set(names))  # pyright: ignore[reportUnknownArgumentType] - from a file
    try:
        _firmware().fill(ModuleType("config"), dict(given))
    except ValueError as error:
        raise ConfigurationError(str(error)) from error
    if given.get("board", "firebeetle") not in CHIPS:
        raise ConfigurationError(f"board is none of {', '.join(CHIPS)}")


def _check_names(where: str, given: Mapping[str, Any], known: set[str]) -> None:
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            ask = f": did you mean {where}{near[0]}?" if near else ""
            raise ConfigurationError(f"{where}{name}: no node has this field{ask}")


@functools.cache
def _firmware() -> Any:
    """``config_check.py`` of the firmware, with the two modules that it imports."""
    micropython = ModuleType("micropython")
    micropython.__dict__["const"] = lambda value: value  # pyright: ignore[reportUnknownLambdaType] - MicroPython's own
    names = ("micropython", "node", "node.policy", "node.policy.limits")
    before = {name: sys.modules.get(name) for name in names}
    try:
        sys.modules.update(micropython=micropython, node=ModuleType("node"))
        sys.modules["node.policy"] = ModuleType("node.policy")
        sys.modules[names[-1]] = _loaded(names[-1], DEVICE / "node/policy/limits.py")
        return _loaded("node.config_check", DEVICE / "node/config_check.py")
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def _loaded(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None, path
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

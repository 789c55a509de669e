"""Arguments of one type that could be confused are given by name."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from gateway import domain, wire
from gateway.alerts import channels

BY_NAME = {
    "Boot.learn": ["t", "up", "ta", "seq", "received"],
    "EraBoots.learn": ["t", "up", "ta", "seq", "received"],
    "Interpreter.interpret": ["auth", "newest"],
    "Gauge.__init__": ["corrects"],
    "TransportError.__init__": ["permanent"],
    "decode": ["device", "trust", "feed"],
    "decode_fast": ["trust"],
    "message_from": ["trust", "feed"],
    "admit": ["trust"],
}


def _functions(package: ModuleType) -> Iterator[Any]:
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if getattr(value, "__module__", "") != module.name:
                continue
            if inspect.isfunction(value):
                yield value
            elif inspect.isclass(value):
                yield from filter(inspect.isfunction, vars(value).values())


def _by_name(function: Any) -> list[str]:
    given = inspect.signature(function).parameters.values()
    return [one.name for one in given if one.kind is inspect.Parameter.KEYWORD_ONLY]


def test_arguments_that_could_be_confused_are_given_by_name() -> None:
    found = {
        function.__qualname__: names
        for package in (domain, wire, channels)
        for function in _functions(package)
        if (names := _by_name(function))
    }
    assert found == BY_NAME

"""State to JSON values and back, so that a watch can be saved and restored at any point.

Works on dataclasses whose fields are JSON values, other such dataclasses, or lists and
dictionaries of them.
"""

import dataclasses
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

_T = TypeVar("_T")
_PLAIN = frozenset((str, int, float, bool, NoneType))


def pack(value: Any) -> Any:
    """A copy of ``value`` in JSON values; later changes of the state do not reach it."""
    # Half of the watch's time is spent here: most values are plain, and no call is spent on them.
    kind = cast("type[Any]", type(value))
    if kind in _PLAIN:
        return value
    if kind is list or kind is tuple:
        return [v if type(v) in _PLAIN else pack(v) for v in value]
    if kind is dict:
        return {k: v if type(v) in _PLAIN else pack(v) for k, v in value.items()}
    if dataclasses.is_dataclass(kind):
        fields = [(name, getattr(value, name)) for name in _names(kind)]
        return {k: v if type(v) in _PLAIN else pack(v) for k, v in fields}
    return [pack(v) for v in value]  # a named tuple


def unpack(kind: type[_T], value: dict[str, Any]) -> _T:
    """The dataclass ``kind`` from what ``pack`` gave; fields it did not know keep defaults."""
    hints = _hints(kind)
    known = {name: _read(hints[name], item) for name, item in value.items() if name in hints}
    return kind(**known)


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(f.name for f in dataclasses.fields(kind))


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _read(next(part for part in inner if part is not NoneType), value)
    if dataclasses.is_dataclass(hint):
        return unpack(cast("type[Any]", hint), value)
    if origin is list:
        return [_read(inner[0], item) for item in value]
    if origin is dict:
        return {key: _read(inner[1], item) for key, item in value.items()}
    return value

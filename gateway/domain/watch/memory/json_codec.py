"""The form in which the database keeps the watch's records, and back.

It is stable across versions: keys are text such as ``tank:north-1``, and some fields have another
name than the attribute (``_SAVED_NAMES``).
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from gateway.domain.entry import JSON
from gateway.domain.watch.memory.state import (
    RECORD_TYPES,
    DeviceState,
    Incident,
    ListeningState,
    Record,
    RecordKey,
    RecordKind,
    TankState,
)
from gateway.domain.watch.tracks.account import Flow
from gateway.domain.watch.tracks.tamper import Episode

SavedRecord: TypeAlias = dict[str, object]
"""A record's fields by their saved names: JSON values, or dataclasses of JSON values."""
_T = TypeVar("_T")
_SAVED_NAMES: Mapping[type, Mapping[str, str]] = {
    DeviceState: {"clone_reported": "twins_told", "reported_forks": "forked_told"},
    Episode: {
        "loss_reported": "fall_told",
        "motion_reported": "moved_told",
        "operator_action": "witnessed",
        "resumed_at": "spoke_at",
    },
    Incident: {"alerted_kinds": "told"},
    ListeningState: {
        "broker_lost": "lost",
        "gateway_stopped": "stopped",
        "last_input_at": "heard_at",
        "offline_since": "deaf_since",
    },
    TankState: {"alert_waits": "held", "tilted": "aslant"},
}

_FORMER: Mapping[type, tuple[str, ...]] = {Flow: ("recent",)}
"""What earlier versions saved in the place of other fields: assigned after these."""


def key_text(key: RecordKey) -> str:
    """The key as the database keeps it."""
    kind, name = key
    return f"{kind}:{name}" if name else kind


def to_saved(record: Record | Episode) -> SavedRecord:
    """The saved form. It shares lists and dataclasses with the record: encode it at once."""
    names, values_of = _names(type(record))
    saved: SavedRecord = dict(zip(names, values_of(record), strict=True))
    if isinstance(record, TankState) and record.episode is not None:
        saved["episode"] = to_saved(record.episode)
    return saved


def from_saved(key: str, saved: JSON) -> Record:
    """The record that was saved under ``key``; fields missing in ``saved`` get their defaults.

    Raises KeyError for a key of no known kind, TypeError when a field without default is missing.
    """
    return _read_dataclass(
        RECORD_TYPES[cast(RecordKind, key.partition(":")[0])][0], cast(dict[str, JSON], saved)
    )


@cache
def _names(
    kind: type[Record | Episode],
) -> tuple[tuple[str, ...], Callable[[object], tuple[object, ...]]]:
    """The saved names of the fields, and their values of a record."""
    renamed, names = _SAVED_NAMES.get(kind, {}), [f.name for f in fields(kind)]
    return tuple(renamed.get(name, name) for name in names), attrgetter(*names)


@cache
def _fields(kind: type) -> Mapping[str, tuple[str, object]]:
    """Attribute and type of each field, by its saved name."""
    renamed, hints = _SAVED_NAMES.get(kind, {}), get_type_hints(kind)
    return {renamed.get(f.name, f.name): (f.name, hints[f.name]) for f in fields(kind)}


def _read_dataclass(kind: type[_T], saved: Mapping[str, JSON]) -> _T:
    known = _fields(kind)
    values = {known[n][0]: _read(known[n][1], item) for n, item in saved.items() if n in known}
    record = kind(**values)
    for name in _FORMER.get(kind, ()):
        if name in saved:
            setattr(record, name, saved[name])
    return record


def _read(hint: object, value: JSON) -> object:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        hint = next(part for part in inner if part is not NoneType)
        origin, inner = get_origin(hint), get_args(hint)
    if isinstance(value, dict):
        if isinstance(hint, type) and is_dataclass(hint):
            return _read_dataclass(hint, value)
        return {key: _read(inner[1], item) for key, item in value.items()}
    return [_read(inner[0], item) for item in value] if isinstance(value, list) else value

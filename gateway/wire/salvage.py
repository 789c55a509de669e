"""Reads the chain's fields from a malformed OBJECT, so that the ack line can extend past it."""

import json
import re
from dataclasses import dataclass

from gateway.wire.fields import ERA, LINK, is_counter, old_from

_NAMES = ("era", "boot", "seq", "prev", "old", "k")
_VALUES = {
    name: re.compile(rf'"{name}" *: *({value})(?= *[,}}\]])')
    for name, value in {
        "era": r'"[a-z2-7]{8}"',
        "boot": r"[1-9][0-9]{0,9}",
        "seq": r"[1-9][0-9]{0,9}",
        "prev": r'"[A-Za-z0-9_-]{22}"|""',
        "old": r"\[ *[1-9][0-9]{0,9} *, *[1-9][0-9]{0,9} *\]",
        "k": r"[1-9][0-9]{0,9}",
    }.items()
}


@dataclass(frozen=True, slots=True)
class Salvaged:
    """The fields of the chain; None where there is not exactly one well-formed value."""

    era: str | None = None
    boot: int | None = None
    seq: int | None = None
    prev: str | None = None
    old: tuple[int, int] | None = None
    key_generation: int | None = None

    @property
    def identity(self) -> tuple[str, int, int] | None:
        """(era, boot, seq), where all three are readable."""
        if self.era is None or self.boot is None or self.seq is None:
            return None
        return self.era, self.boot, self.seq


def salvage(object_bytes: bytes) -> Salvaged:
    """Find the fields, by structure where OBJECT is JSON, else by pattern."""
    text = object_bytes.decode("latin-1")
    pairs = _outermost(text)
    if pairs is None:
        pairs = [
            (name, json.loads(found))
            for name, shape in _VALUES.items()
            for found in shape.findall(text)
        ]
    elif all(name != "k" for name, _ in pairs):
        pairs.append(("k", 1))  # absent from a complete object: the first generation
    found = {name: _only(name, pairs) for name in _NAMES}
    era, boot, seq = found["era"], found["boot"], found["seq"]
    prev, generation = found["prev"], found["k"]
    return Salvaged(
        era=era if isinstance(era, str) else None,
        boot=boot if isinstance(boot, int) else None,
        seq=seq if isinstance(seq, int) else None,
        prev=prev if isinstance(prev, str) else None,
        old=old_from(found["old"]),
        key_generation=generation if isinstance(generation, int) else None,
    )


class _Pairs(list[tuple[str, object]]):
    """An object's pairs in order, with duplicates; its type separates it from a JSON list."""


def _outermost(text: str) -> list[tuple[str, object]] | None:
    """The pairs of the outermost object, with duplicates, or None where it is not JSON."""
    try:
        value: object = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, _Pairs) else None


def _only(name: str, pairs: list[tuple[str, object]]) -> object:
    sound = [value for given, value in pairs if given == name and _well_formed(name, value)]
    return sound[0] if len(sound) == 1 else None


def _well_formed(name: str, value: object) -> bool:
    if name == "era":
        return isinstance(value, str) and ERA.fullmatch(value) is not None
    if name == "prev":
        return isinstance(value, str) and LINK.fullmatch(value) is not None
    if name == "old":
        return old_from(value) is not None
    return is_counter(value)

"""The mapping file, which assigns third-party messages to devices and figures. Read strictly."""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar, cast

from gateway.errors import SettingError
from gateway.ingest.adapters import paths
from gateway.ingest.adapters.feed import Feed, Pick, TimePick
from gateway.ingest.adapters.formats import ADAPTERS, JSON, TIMES, Adapter
from gateway.ingest.adapters.line_numbers import LineNumbers, Row
from gateway.ingest.adapters.units import FIGURES, LEVELS, Convert, current_loop, linear
from gateway.mqtt.address import Address, parse_address
from gateway.registry.fields import FieldError, name, number, random_id, whole
from gateway.text_file import read_text

EXAMPLE = Path(__file__).parent / "example.toml"

_Value = TypeVar("_Value")
_FEED = ("device", "from", "topic", "broker", "every_s", "time", *FIGURES)
_BROKER = ("id", "url", "user", "password_file", "ca")
_PICK = ("topic", "path", "unit", "scale", "offset", "full_scale_m")
_TIME = ("path", "unit")
_EVERY = whole(10, 604_800)
_FULL_SCALE = number(0.1, 100)
_SCALE = number(-1e9, 1e9)


@dataclass(frozen=True, slots=True)
class FeedBroker:
    """A broker of feeds; the address has no client id."""

    id: str
    address: Address


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A checked mapping file."""

    feeds: tuple[Feed, ...] = ()
    brokers: tuple[FeedBroker, ...] = ()


def read(path: Path) -> MappingFile:
    """Read and check a mapping. Raises SettingError naming file, line, row, field and remedy."""
    try:
        text = read_text(path)
        given = tomllib.loads(text)
    except OSError as error:
        raise SettingError(
            f"{path}: {error.strerror}: name a mapping file; 'noria adapters example' prints one"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} is not TOML: {error}") from error
    return _Parser(path, given, LineNumbers(text)).mapping()


class _Parser:
    """Checks one decoded file; ``_wrong`` adds the line of a mistake to its message."""

    def __init__(self, path: Path, given: Mapping[str, object], lines: LineNumbers) -> None:
        self._path = path
        self._given = given
        self._lines = lines

    def mapping(self) -> MappingFile:
        for table in self._given:
            if table not in ("feed", "broker"):
                raise self._wrong(None, table, f"no table is called {table!r}: use feed, broker")
        brokers = tuple(self._broker(i, row) for i, row in self._rows("broker"))
        known = [broker.id for broker in brokers]
        feeds = tuple(self._feed(i, row, known) for i, row in self._rows("feed"))
        self._check_unique(feeds, brokers)
        return MappingFile(feeds, brokers)

    def _rows(self, table: str) -> Iterable[tuple[int, Mapping[str, object]]]:
        rows = self._given.get(table, [])
        if not isinstance(rows, list) or not all(
            isinstance(r, dict) for r in cast(list[object], rows)
        ):
            raise self._wrong(None, table, f"write [[{table}]] above each row")
        for place, row in enumerate(cast(list[dict[str, object]], rows)):
            allowed = _FEED if table == "feed" else _BROKER
            for one in row:
                if one not in allowed:
                    known = ", ".join(allowed)
                    raise self._wrong((table, place), one, f"no such field: use one of {known}")
            yield place, row

    def _feed(self, place: int, row: Mapping[str, object], brokers: list[str]) -> Feed:
        at = ("feed", place)
        device = self._checked(at, row, "device", random_id)
        adapter = ADAPTERS.get(self._text(at, row, "from"))
        if adapter is None:
            raise self._wrong(at, "from", f"use one of {', '.join(ADAPTERS)}", row)
        topic = self._topic(at, "topic", row.get("topic"), adapter)
        picks = [self._pick(at, f, row[f], topic, adapter) for f in FIGURES if f in row]
        levels = [pick for pick in picks if pick.figure in LEVELS]
        if len(levels) != 1:
            known = ", ".join(LEVELS)
            raise self._wrong(at, "device", f"it needs exactly one of {known}, not {len(levels)}")
        broker = row.get("broker", brokers[0] if len(brokers) == 1 else None)
        if not isinstance(broker, str) or broker not in brokers:
            remedy = "name the id of the [[broker]] that it publishes to"
            raise self._wrong(at, "broker", remedy, row)
        others = tuple(pick for pick in picks if pick.figure not in LEVELS)
        every_s = self._checked(at, row, "every_s", _EVERY)
        time = self._time(at, row["time"], adapter) if "time" in row else None
        return Feed(device, adapter, broker, every_s, levels[0], others, time)

    def _table(
        self, at: Row, figure: str, given: object, known: Sequence[str]
    ) -> Mapping[str, object]:
        if not isinstance(given, dict):
            raise self._wrong(at, figure, 'write it as { path = "…", unit = "…" }')
        row = cast(dict[str, object], given)
        for one in row:
            if one not in known:
                raise self._wrong(at, figure, f"no field {one!r}: use {', '.join(known)}")
        return row

    def _time(self, at: Row, given: object, adapter: Adapter) -> TimePick:
        if adapter.name != JSON:
            remedy = f"{adapter.name} has a time of its own or none: leave it out"
            raise self._wrong(at, "time", remedy)
        row = self._table(at, "time", given, _TIME)
        unit = row.get("unit")
        if unit not in TIMES:
            remedy = "Unix time in s or ms, or iso, a text such as 2026-11-20T21:59:50+01:00"
            raise self._wrong(
                at, "time", f"unit = {unit!r}: use one of {', '.join(TIMES)}: {remedy}"
            )
        return TimePick(self._path_of(at, "time", row.get("path", ""), adapter), str(unit))

    def _pick(self, at: Row, figure: str, given: object, topic: str, adapter: Adapter) -> Pick:
        row = self._table(at, figure, given, _PICK)
        own = self._topic(at, figure, row["topic"], adapter) if "topic" in row else topic
        where = self._path_of(at, figure, row.get("path", ""), adapter)
        unit = row.get("unit")
        convert = self._linear(at, figure, row, self._convert(at, figure, row))
        return Pick(figure, own, where, str(unit), convert)

    def _linear(self, at: Row, figure: str, row: Mapping[str, object], convert: Convert) -> Convert:
        given = dict[str, float]()
        for field_name, default in (("scale", 1.0), ("offset", 0.0)):
            value = row.get(field_name, default)
            try:
                given[field_name] = _SCALE(value)
            except FieldError as error:
                raise self._wrong(at, figure, f"{field_name} = {value!r}: {error}") from None
        if not given["scale"]:
            raise self._wrong(
                at, figure, "scale = 0: every reading would be the offset: leave it out"
            )
        return linear(convert, **given)

    def _convert(self, at: Row, figure: str, row: Mapping[str, object]) -> Convert:
        known, unit = FIGURES[figure].units, row.get("unit")
        if unit == "mA" and figure == "pressure":
            try:
                return current_loop(_FULL_SCALE(row.get("full_scale_m")))
            except FieldError as error:
                hint = "how many metres of water 20 mA means"
                raise self._wrong(at, figure, f"full_scale_m: {error}: {hint}") from None
        if "full_scale_m" in row:
            raise self._wrong(at, figure, 'full_scale_m belongs to unit = "mA" alone: leave it out')
        if not isinstance(unit, str) or unit not in known:
            units = ", ".join([*known, *(["mA"] if figure == "pressure" else [])])
            raise self._wrong(at, figure, f"unit = {unit!r}: use one of {units}")
        return known[unit]

    def _path_of(self, at: Row, figure: str, given: object, adapter: Adapter) -> paths.Path:
        if adapter.name == "esphome":
            if given:
                raise self._wrong(at, figure, "an ESPHome state is the figure itself: no path")
            return ()
        if isinstance(given, list) and all(
            isinstance(s, str | int) for s in cast(list[object], given)
        ):
            return tuple(cast(list[str | int], given))  # for names that contain dots
        found = paths.parsed(given) if isinstance(given, str) else None
        if found is None:
            raise self._wrong(
                at, figure, f"path = {given!r}: name it from the payload's top, as SR04.Distance"
            )
        return found

    def _topic(self, at: Row, field_name: str, given: object, adapter: Adapter) -> str:
        if not isinstance(given, str) or not given:
            raise self._wrong(at, field_name, f"topic is missing: it looks like {adapter.form}")
        if not given.isascii() or not given.isprintable() or set(given) & {"+", "#"}:
            raise self._wrong(
                at, field_name,
                f"topic = {given!r}: one topic in plain letters, without accents, without + and #: "
                "rename it where it is published",
            )  # fmt: skip
        if given.split("/")[0] in ("noria", "$SYS", "$share", "$CONTROL"):
            raise self._wrong(
                at, field_name, f"topic = {given!r}: a third-party sensor has no place there"
            )
        if not adapter.fits(given):
            raise self._wrong(
                at, field_name, f"topic = {given!r}: {adapter.name}'s look like {adapter.form}"
            )
        return given

    def _broker(self, place: int, row: Mapping[str, object]) -> FeedBroker:
        at = ("broker", place)
        broker_id = self._checked(at, row, "id", name)
        password = self._secret(at, row) if "password_file" in row else ""
        ca = str(self._path.parent / str(row["ca"])) if row.get("ca") else ""
        try:
            address = parse_address(self._text(at, row, "url"), password=password, ca=ca)
        except ValueError:  # an invalid port has another message
            remedy = "use mqtt://host:1883 or mqtts://host:8883, no password"
            raise self._wrong(at, "url", remedy) from None
        user = str(row.get("user", address.username))
        return FeedBroker(broker_id, replace(address, username=user))

    def _secret(self, at: Row, row: Mapping[str, object]) -> str:
        file = self._text(at, row, "password_file")
        try:
            return read_text(self._path.parent / file).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise self._wrong(at, "password_file", f"{error}: name a file", row) from error

    def _text(self, at: Row, row: Mapping[str, object], field_name: str) -> str:
        value = row.get(field_name)
        if not isinstance(value, str) or not value:
            raise self._wrong(at, field_name, "it is missing, or not a text: add it")
        return value

    def _checked(
        self, at: Row, row: Mapping[str, object], field_name: str,
        check: Callable[[object], _Value],
    ) -> _Value:  # fmt: skip
        if field_name not in row:
            raise self._wrong(at, field_name, "it is missing: add it")
        try:
            return check(row[field_name])
        except FieldError as error:
            raise self._wrong(at, field_name, str(error), row) from None

    def _check_unique(self, feeds: Iterable[Feed], brokers: Iterable[FeedBroker]) -> None:
        devices: set[str] = set()
        topics: dict[tuple[str, str], str] = {}
        for place, feed in enumerate(feeds):
            if feed.device in devices:
                raise self._wrong(
                    ("feed", place), "device", f"{feed.device} stands twice: keep one"
                )
            devices.add(feed.device)
            for topic in feed.topics:
                other = topics.setdefault((feed.broker, topic), feed.device)
                if other != feed.device:
                    raise self._wrong(
                        ("feed", place), "topic", f"topic = {topic!r} belongs to {other} already"
                    )
        ids = [broker.id for broker in brokers]
        for place, broker_id in enumerate(ids):
            if broker_id in ids[:place]:
                raise self._wrong(("broker", place), "id", f"{broker_id} stands twice: keep one")

    def _wrong(
        self, at: Row | None, field_name: str, remedy: str,
        row: Mapping[str, object] | None = None,
    ) -> SettingError:  # fmt: skip
        line = self._lines.of(at, field_name)
        where = f"[[{at[0]}]] {field_name}" if at else f"[[{field_name}]]"
        value = f" = {str(row[field_name])[:60]!r}" if row and field_name in row else ""
        return SettingError(f"{self._path}, line {line}: {where}{value}: {remedy}")

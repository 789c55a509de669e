"""``ReadingStore`` on InfluxDB: tags are random ids, every value a field."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from math import floor
from operator import attrgetter

from gateway.domain.inputs import Reading
from gateway.domain.registry import Registry
from gateway.stores.influxdb import line, removal
from gateway.stores.influxdb.access import Access, SetAside
from gateway.stores.influxdb.line import Rids, Row, quoted

_key = attrgetter("at", "device", "era", "boot", "seq", "channel", "i")
_NS = 1_000_000_000
_UNKNOWN = "-"  # the site of a tank that the registry does not know
_ROWS, _FEW = 2, 2000  # so many rows of lines, but one of a few readings: each is a request


class InfluxStore:
    """Readings in one bucket. ``registry`` gives the rows now known: it turns ids into random ids.

    Two devices of one tank never share a series, two readings of one device differ in boot, seq
    or i, which its nanoseconds carry.
    """

    def __init__(
        self, access: Access, registry: Callable[[], Registry], set_aside: SetAside
    ) -> None:
        # They take 17 MB and 150 ms, which a gateway that keeps its readings itself spares.
        from gateway.stores.influxdb.line_writer import LineWriter
        from gateway.stores.influxdb.query import QueryClient

        self._registry = registry
        self._writer = LineWriter(access, set_aside)
        self._asker = QueryClient(access)

    def write(self, readings: Sequence[Reading]) -> None:
        """Keep these; one already there is replaced. Lines refused for ever are set aside."""
        self.start(readings)()

    def start(self, readings: Sequence[Reading]) -> Callable[[], None]:
        """As ``write``, but returns once their lines are made and on their way.

        Calling what is returned waits for the answer, and raises what ``write`` would raise.
        """
        return self._writer.start(*_lines(self._registry(), readings))

    def remove(self, readings: Sequence[Reading]) -> None:
        """Remove exactly these rows."""
        registry = self._registry()
        rows = (((_rid(registry, r.tank), r.device, r.channel), line.key_ns(r)) for r in readings)
        removal.remove(self._asker, rows)

    def series(self, tank: str, start: float, end: float) -> list[Reading]:
        """Readings of one tank with start <= at <= end (Unix s), by event time."""
        return list(self.export(tank, start, end))

    def export(
        self, tank: str | None = None, start: float | None = None, end: float | None = None
    ) -> Iterator[Reading]:
        """All readings, by tank and event time, streamed; bounds as in ``series``."""
        registry = self._registry()
        for one in [tank] if tank is not None else sorted(registry.tanks):
            rows = self._asker.stream(_select(_rid(registry, one), start, end))
            for reading in _by_event_time(rows, one):
                if (start is None or reading.at >= start) and (end is None or reading.at <= end):
                    yield reading

    def latest(self) -> dict[str, Reading]:
        """The newest reading by event time of every tank."""
        tanks = {rows[-1].rid: name for name, rows in self._registry().tanks.items()}
        last = self._asker.ask('SELECT last("at") AS "at" FROM reading GROUP BY tank')
        # The last nanosecond stands for the last second: boot and seq are cut to three digits.
        seconds = [_select(row["tank"], row["at"], row["at"]) for row in last]
        rows = self._asker.ask(*seconds) if seconds else []
        newest: dict[str, Reading] = {}
        for row in rows:
            tank = tanks.get(row["tank"])
            if tank is not None:
                reading = line.reading_of(row, tank)
                newest[tank] = max(reading, newest.get(tank, reading), key=_key)
        return newest

    def clear(self) -> None:
        """Empty the store, before a rebuild; other measurements of the bucket stay."""
        self._asker.ask("DROP MEASUREMENT reading")

    def write_points(self, lines: Sequence[str]) -> None:
        """Write points of other measurements (``line.point``), for Grafana."""
        self._writer.write(lines)

    def clear_points(self, *measurements: str) -> None:
        """Drop other measurements."""
        self._asker.ask(*(f"DROP MEASUREMENT {name}" for name in measurements))

    def close(self) -> None:
        """Close connections."""
        self._writer.close()
        self._asker.close()


def _rid(registry: Registry, tank: str) -> str:
    row = registry.tank(tank)
    return row.rid if row else _UNKNOWN


def _lines(registry: Registry, readings: Sequence[Reading]) -> list[list[str]]:
    """A line of each, in rows that may go at once: all of a tank's are in one, in their order.

    A tank's ids are looked up once, unless it has a history.
    """
    known: dict[str, Rids] = {}
    rows: list[list[str]] = [[] for _ in range(_ROWS if len(readings) > _FEW else 1)]

    def place(reading: Reading) -> tuple[Rids, list[str]]:
        found = known.get(reading.tank)
        if found is None:
            found = _rids(registry, reading)
            if found.lasting:
                known[reading.tank] = found
        return found, rows[hash(reading.tank) % len(rows)]

    line.put_readings(readings, place)
    return rows


def _rids(registry: Registry, reading: Reading) -> Rids:
    tank = registry.tank(reading.tank, reading.at)
    site = registry.site(tank.site) if tank else None
    lasting = len(registry.tanks.get(reading.tank, ())) <= 1
    return Rids(tank.rid if tank else _UNKNOWN, site.rid if site else _UNKNOWN, lasting)


def _select(rid: str, start: float | None, end: float | None) -> str:
    """Whole seconds: the fraction of an event time is in its field, not in its nanoseconds."""
    bounds = "" if start is None else f" AND time >= {floor(start) * _NS}"
    bounds += "" if end is None else f" AND time < {(floor(end) + 1) * _NS}"
    return f"SELECT * FROM reading WHERE tank = {quoted(rid)}{bounds}"  # noqa: S608 - quoted


def _by_event_time(rows: Iterator[Row], tank: str) -> Iterator[Reading]:
    """Rows come by nanosecond; inside one second that is not yet the order of the port."""
    for _, second in groupby(rows, key=lambda row: row["time"] // _NS):
        yield from sorted((line.reading_of(row, tank) for row in second), key=_key)

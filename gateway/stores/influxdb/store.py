"""``ReadingStore`` on InfluxDB: tags are random ids, every value a field."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from math import floor
from operator import attrgetter

from gateway.domain.inputs import Reading
from gateway.domain.registry import Registry
from gateway.stores.influxdb import line
from gateway.stores.influxdb.access import Access, SetAside
from gateway.stores.influxdb.line import Row, quoted

_key = attrgetter("at", "device", "era", "boot", "seq", "channel", "i")
_NS = 1_000_000_000
_UNKNOWN = "-"  # the site of a tank that the registry does not know
_DELETES_PER_REQUEST = 200

_Series = tuple[str, str, int]
"""Random id of the tank, device, channel."""


class InfluxStore:
    """Readings in one bucket. ``registry`` returns the current rows, which map ids to random ids.

    Two devices of one tank never share a series, two readings of one device differ in boot, seq
    or i, which their nanoseconds carry.
    """

    def __init__(
        self, access: Access, registry: Callable[[], Registry], set_aside: SetAside
    ) -> None:
        # Imported here: they cost 17 MB and 150 ms, which a gateway with a SQLite store saves.
        from gateway.stores.influxdb.line_writer import LineWriter
        from gateway.stores.influxdb.query import QueryClient

        self._registry = registry
        self._writer = LineWriter(access, set_aside)
        self._query = QueryClient(access)

    def write(self, readings: Sequence[Reading]) -> None:
        """Write these; a reading with the same key is replaced. Refused lines are set aside."""
        registry = self._registry()
        self._writer.write([_line(registry, reading) for reading in readings])

    def remove(self, readings: Sequence[Reading]) -> None:
        """Remove exactly these rows, by few DELETEs: each costs about 5 ms, whatever its size."""
        registry = self._registry()
        rows = sorted(
            ((_rid(registry, r.tank), r.device, r.channel), line.key_ns(r)) for r in readings
        )
        statements: list[str] = []
        for series, group in groupby(rows, key=lambda row: row[0]):
            gone = [ns for _, ns in group]
            where = _where(series)
            span = f"{where} AND time >= {gone[0]} AND time <= {gone[-1]}"
            stored = self._query.run(f'SELECT "at" FROM reading WHERE {span}')  # noqa: S608 - quoted
            statements += (
                f"DELETE FROM reading WHERE {where} AND time >= {first} AND time <= {last}"  # noqa: S608 - quoted
                for first, last in removable_spans(sorted(row["time"] for row in stored), set(gone))
            )
        for start in range(0, len(statements), _DELETES_PER_REQUEST):
            self._query.run(*statements[start : start + _DELETES_PER_REQUEST])

    def export(
        self, tank: str | None = None, start: float | None = None, end: float | None = None
    ) -> Iterator[Reading]:
        """Readings by tank and event time, streamed."""
        registry = self._registry()
        for one in [tank] if tank is not None else sorted(registry.tanks):
            rows = self._query.stream(_select(_rid(registry, one), start, end))
            for reading in _by_event_time(rows, one):
                if (start is None or reading.at >= start) and (end is None or reading.at <= end):
                    yield reading

    def clear(self) -> None:
        """Empty the store, before a rebuild; other measurements of the bucket stay."""
        self._query.run("DROP MEASUREMENT reading")

    def is_empty(self) -> bool:
        """False: a server is not replaced by an empty one behind our back."""
        return False

    def write_points(self, lines: Sequence[str]) -> None:
        """Write points of other measurements (``line.point``), for Grafana."""
        self._writer.write(lines)

    def clear_points(self, *measurements: str) -> None:
        """Drop other measurements."""
        self._query.run(*(f"DROP MEASUREMENT {name}" for name in measurements))

    def close(self) -> None:
        """Close connections."""
        self._writer.close()
        self._query.close()


def removable_spans(stored: Sequence[int], gone: set[int]) -> Iterator[tuple[int, int]]:
    """The first and last of each run in ``stored`` (sorted) that has only members of ``gone``."""
    for is_gone, group in groupby(stored, key=gone.__contains__):
        if is_gone:
            span = list(group)
            yield span[0], span[-1]


def _where(series: _Series) -> str:
    tank, device, channel = series
    return f"tank = {quoted(tank)} AND device = {quoted(device)} AND ch = '{channel}'"


def _rid(registry: Registry, tank: str) -> str:
    row = registry.tank(tank)
    return row.rid if row else _UNKNOWN


def _line(registry: Registry, reading: Reading) -> str:
    tank = registry.tank(reading.tank, reading.at)
    site = registry.site(tank.site) if tank else None
    return line.reading_line(
        reading, tank.rid if tank else _UNKNOWN, site.rid if site else _UNKNOWN
    )


def _select(rid: str, start: float | None, end: float | None) -> str:
    """Whole seconds: the fraction of an event time is in its field, not in its nanoseconds."""
    bounds = "" if start is None else f" AND time >= {floor(start) * _NS}"
    bounds += "" if end is None else f" AND time < {(floor(end) + 1) * _NS}"
    return f"SELECT * FROM reading WHERE tank = {quoted(rid)}{bounds}"  # noqa: S608 - quoted


def _by_event_time(rows: Iterator[Row], tank: str) -> Iterator[Reading]:
    """Rows come by nanosecond; within one second the port's order is another."""
    for _, second in groupby(rows, key=lambda row: row["time"] // _NS):
        yield from sorted((line.reading_of(row, tank) for row in second), key=_key)

"""One tank's chart, ready for its template, and the table of the same figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.domain.inputs import Reading
from gateway.domain.outputs import Span, TankEvent, TankNow
from server.charts import axis
from server.charts.axis import Mark
from server.charts.line import Line, Sample, line
from server.charts.scale import Point, Scale, area, path
from server.views.incident import Incident
from server.words.incident import KINDS
from server.words.language import PageLanguage, mark
from server.words.page import IconText, Option

Range = Literal["24h", "7d", "30d"]
_DAY_S = 86400.0
_SPANS: dict[Range, tuple[float, float]] = {
    "24h": (_DAY_S, 18 * 3600.0),
    "7d": (7 * _DAY_S, _DAY_S),
    "30d": (30 * _DAY_S, 2 * _DAY_S),
}
"""Seconds shown before and after now."""
_LEAST_PART = 1 / 8
"""The least that is shown before now of a new tank, as a part of the range."""
_NAMES: dict[Range, str] = {"24h": mark("24 h"), "7d": mark("7 days"), "30d": mark("30 days")}
_ROWS_S: dict[Range, float] = {"24h": 3600.0, "7d": 6 * 3600.0, "30d": _DAY_S}
_LEAST_GAP_PCT = 0.4


@dataclass(frozen=True, slots=True)
class Limit:
    """A horizontal line: ``y`` in chart units, ``top`` in per cent."""

    y: float
    top: float
    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without readings, its edges in per cent."""

    left: float
    width: float
    right: float


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: the lowest and highest level from ``time`` on."""

    time: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Paths in chart units, labels in per cent. ``band`` and ``middle`` are the forecast."""

    range: Range
    lines: tuple[str, ...]
    areas: tuple[str, ...]
    gaps: tuple[Gap, ...]
    band: str
    middle: str
    now_x: float
    now_left: float
    limits: tuple[Limit, ...]
    ticks: tuple[Mark, ...]
    refills: tuple[Mark, ...]
    incidents: tuple[Mark, ...]
    signs: tuple[IconText, ...]
    """What each icon of ``incidents`` means, for the legend."""
    rows: tuple[Row, ...]
    empty: bool
    is_now: bool = True
    """Whether ``now_x`` is this moment; else nothing is drawn there."""


def window(range_: Range, now: float, first_at: float | None = None) -> tuple[float, float]:
    """Start and end of a chart (Unix s); after now it shows the forecast.

    A tank whose first reading was at ``first_at`` is drawn from there on: before it nothing is
    missing. Then the forecast takes two thirds at most.
    """
    back, ahead = _SPANS[range_]
    if first_at is not None and now - first_at < back:
        back = max(now - first_at, _LEAST_PART * back)
        ahead = min(ahead, 2 * back)
    return now - back, now + ahead


def ranges(language: PageLanguage, chart: Chart | None) -> list[Option]:
    """How far back a chart can reach; the drawn one is chosen."""
    drawn = chart.range if chart else ""
    return [Option(key, language.text(text), key == drawn) for key, text in _NAMES.items()]


def draw(
    language: PageLanguage, range_: Range, known: TankNow, capacity_l: float,
    limits_l: tuple[float, float], readings: Sequence[Reading], events: Sequence[TankEvent],
    incidents: Sequence[Incident], now: float, low_l: float = 0.0, first_at: float | None = None,
) -> Chart:  # fmt: skip
    """The chart of one tank. ``limits_l``: low and critical; ``low_l``: litres below the tap;
    ``first_at``: the tank's first reading ever, where it is among these.
    """
    start, end = window(range_, now, first_at)
    scale = Scale(start, end, capacity_l)
    levels = line(readings, max(start, first_at or start), now)
    runs = [[(scale.x(at), scale.y(litres)) for at, litres in run] for run in levels.runs]
    band, middle = _expected(scale, known, limits_l, low_l, now)
    marks = _incidents(language, scale, incidents, now)
    return Chart(
        range=range_, lines=tuple(path(seen(run)) for run in runs),
        areas=tuple(area(seen(run)) for run in runs), gaps=gaps(scale, levels), band=band,
        middle=middle, now_x=scale.x(now), now_left=scale.left_pct(now),
        limits=limits(language, scale, limits_l), ticks=axis.ticks(language, scale, now),
        refills=_refills(language, scale, events, now),
        incidents=marks, signs=_signs(language, marks),
        rows=_rows(language, levels, range_, start, now), empty=not levels.runs,
    )  # fmt: skip


def seen(run: list[Point]) -> list[Point]:
    """A single reading becomes a short dash, which is visible."""
    return [run[0], (run[0][0] + 1.0, run[0][1])] if len(run) == 1 else run


def gaps(scale: Scale, levels: Line) -> tuple[Gap, ...]:
    """The times without readings that are wide enough to be seen."""
    found = ((scale.left_pct(a), scale.left_pct(b)) for a, b in levels.gaps)
    widths = ((a, round(b - a, 2)) for a, b in found if b - a > _LEAST_GAP_PCT)
    return tuple(Gap(a, width, round(a + width, 2)) for a, width in widths)


def _expected(
    scale: Scale, known: TankNow, limits_l: tuple[float, float], low_l: float, now: float
) -> tuple[str, str]:
    """The 80 % band and its middle, through the forecast moments of *low* and *empty*."""
    if known.volume_l is None or known.at is None or known.state in ("unknown", "fault", "empty"):
        return "", ""
    points: list[tuple[Span, float]] = []
    if known.low_at is not None and known.volume_l > limits_l[0]:
        points.append((known.low_at, limits_l[0]))
    if known.empty_at is not None:
        points.append((known.empty_at, low_l))
    if not points:
        return "", ""
    begin = (max(known.at, scale.start), known.volume_l)
    early, late, middle = [begin], [begin], [begin]
    for span, litres in points:
        early.append((max(span.lo, early[-1][0]), litres))
        middle.append((max(span.at, middle[-1][0]), litres))
        late.append((max(span.hi, late[-1][0]), litres))
    early.append((late[-1][0], early[-1][1]))
    edge = [*_cut(scale, early), *reversed(_cut(scale, late))]
    return f"{path(edge)}Z", path(_cut(scale, middle))


def _cut(scale: Scale, samples: list[Sample]) -> list[Point]:
    """The points up to the right edge, where the last segment is cut."""
    points: list[Point] = []
    for index, (at, litres) in enumerate(samples):
        if at <= scale.end:
            points.append((scale.x(at), scale.y(litres)))
            continue
        before, before_l = samples[index - 1]
        share = (scale.end - before) / (at - before)
        points.append((scale.x(scale.end), scale.y(before_l + share * (litres - before_l))))
        break
    return points


def limits(
    language: PageLanguage, scale: Scale, limits_l: tuple[float, float]
) -> tuple[Limit, ...]:
    """The lines of the whole tank, its half, low and critical; ``limits_l``: the last two."""

    def limit(litres: float, text: str, tone: str = "") -> Limit:
        return Limit(scale.y(litres), scale.top_pct(litres), text, tone)

    low, critical = limits_l
    whole = scale.capacity_l
    return (
        limit(whole, language.quantity(whole, "L")),
        limit(whole / 2, language.number(whole / 2)),
        limit(low, language.text("{n} low", n=language.number(low)), "low"),
        limit(critical, language.text("{n} crit.", n=language.number(critical)), "dry"),
    )


def _refills(
    language: PageLanguage, scale: Scale, events: Sequence[TankEvent], now: float
) -> tuple[Mark, ...]:
    def text(event: TankEvent) -> str:
        time = language.moment(event.at, now)
        if event.litres is None:
            return language.text("Refill, {time}", time=time)
        return language.text(
            "Refill of about {litres}, {time}", litres=language.litres(event.litres), time=time
        )

    return tuple(
        Mark(scale.left_pct(e.at), text(e))
        for e in events
        if e.kind == "refill" and scale.start <= e.at <= now
    )


def _incidents(
    language: PageLanguage, scale: Scale, incidents: Sequence[Incident], now: float
) -> tuple[Mark, ...]:
    return tuple(
        Mark(
            scale.left_pct(i.at),
            f"{language.text(KINDS[i.kind].short)}, {language.moment(i.at, now)}",
            KINDS[i.kind].icon,
        )
        for i in incidents
        if scale.start <= i.at <= now
    )


def _signs(language: PageLanguage, marks: Sequence[Mark]) -> tuple[IconText, ...]:
    known = {
        "low": language.text("was low"), "critical": language.text("was nearly empty"),
        "empty": language.text("was empty"), "network": language.text("network out"),
    }  # fmt: skip
    icons = dict.fromkeys(mark.icon for mark in marks)
    return tuple(IconText(known.get(icon, language.text("incident")), icon) for icon in icons)


def _rows(
    language: PageLanguage, levels: Line, range_: Range, start: float, now: float
) -> tuple[Row, ...]:
    """The newest first; a step without readings has empty figures."""
    step = _ROWS_S[range_]
    samples = [sample for run in levels.runs for sample in run]
    rows: list[Row] = []
    at = now - now % step if range_ != "30d" else max(language.midnights(now - _DAY_S, now, 24))
    while at > start - step:
        inside = [litres for when, litres in samples if at <= when < at + step]
        time = language.day(at, now) if range_ == "30d" else language.moment(at, now)
        low, high = (language.litres(f(inside)) for f in (min, max)) if inside else ("", "")
        rows.append(Row(time, low, high))
        at -= step
    return tuple(rows)

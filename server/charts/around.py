"""The levels around an incident, with marks where its evidence lies."""

from collections.abc import Sequence
from dataclasses import replace

from gateway.domain.inputs import Reading
from server.charts import chart
from server.charts.axis import Mark, beside_now
from server.charts.chart import Chart
from server.charts.line import line
from server.charts.scale import Scale, area, path
from server.words.language import PageLanguage
from server.words.signs import Sign

_HOUR_S = 3600.0
_STEPS_H = ((4, 1), (9, 2), (15, 3), (36, 6))
"""Hours between labels, by the length of the chart in hours."""
_CLOSE_PCT = 6.0
_ROW_PX, _ROWS = 22, 5


def draw(
    language: PageLanguage, capacity_l: float, limits_l: tuple[float, float],
    readings: Sequence[Reading], signs: Sequence[Sign], span: tuple[float, float], now: float,
) -> Chart:  # fmt: skip
    """The chart of one span (Unix s); signs that began before it are at its left edge."""
    start, end = span
    scale = Scale(start, end, capacity_l)
    levels = line(readings, start, end)
    runs = [chart.seen([(scale.x(at), scale.y(litres)) for at, litres in run])
            for run in levels.runs]  # fmt: skip
    marks = _marks(scale, signs)
    is_now = now - end < 60.0
    hours = (end - start) / _HOUR_S
    step_h = next((step for longest, step in _STEPS_H if hours <= longest), 6)
    hours_shown = (Mark(scale.left_pct(t), language.hour(t))
                   for t in language.midnights(start, end, step_h))  # fmt: skip
    ticks = beside_now(language, hours_shown, scale.left_pct(end) if is_now else None)
    return Chart(
        range="24h", lines=tuple(path(run) for run in runs), areas=tuple(area(run) for run in runs),
        gaps=chart.gaps(scale, levels), band="", middle="", now_x=scale.x(end),
        now_left=scale.left_pct(end), limits=chart.limits(language, scale, limits_l),
        ticks=ticks, refills=(),
        incidents=marks, signs=(), rows=(), empty=not levels.runs, is_now=is_now,
    )  # fmt: skip


def _marks(scale: Scale, signs: Sequence[Sign]) -> tuple[Mark, ...]:
    """One mark for each sign; those close together are below one another."""
    found: list[Mark] = []
    for sign in sorted(signs, key=lambda one: one.at):
        left = scale.left_pct(max(sign.at, scale.start))
        mark = Mark(left, f"{sign.text}, {sign.time}", sign.icon)
        taken = {m.top for m in found if left - m.left < _CLOSE_PCT}
        free = (row * _ROW_PX for row in range(_ROWS) if row * _ROW_PX not in taken)
        found.append(replace(mark, top=next(free, 0)))
    return tuple(found)

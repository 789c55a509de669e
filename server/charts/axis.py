"""The labels below a chart: hours, weekdays or dates, none of which overlaps *now*."""

from collections.abc import Iterable
from dataclasses import dataclass

from server.charts.scale import Scale
from server.words.language import PageLanguage

_TICKS: tuple[tuple[float, int, int, str], ...] = (
    (4.0, 1, 1, "h"), (9.0, 2, 1, "h"), (16.0, 3, 1, "h"), (60.0, 6, 1, "h"),
    (10 * 24.0, 24, 1, "EEE"), (18 * 24.0, 24, 3, "d MMM"), (40 * 24.0, 24, 6, "d MMM"),
)  # fmt: skip
"""Of a chart up to so many hours: hours between labels, each how many-th is shown, their form."""
_NARROWEST_PX, _CHARACTER_PX, _APART_PX = 205.0, 8.0, 6.0
"""Of a chart at 320 px, and of its bold labels, whose width the server has to guess."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A label or sign at ``left`` per cent; ``text`` also serves readers who cannot see it.

    ``top`` is in pixels: signs close together are below one another.
    """

    left: float
    text: str
    icon: str = ""
    top: int = 0


def ticks(language: PageLanguage, scale: Scale, now: float) -> tuple[Mark, ...]:
    """The labels of hours, weekdays or dates below a chart."""
    hours = (scale.end - scale.start) / 3600.0
    step_h, every, pattern = next(row[1:] for row in _TICKS if hours <= row[0])
    times = language.midnights(scale.start, scale.end, step_h)[::every]
    labels = (
        Mark(scale.left_pct(t), language.hour(t) if pattern == "h" else language.date(t, pattern))
        for t in times
    )
    return beside_now(language, labels, scale.left_pct(now))


def beside_now(
    language: PageLanguage, labels: Iterable[Mark], now_pct: float | None
) -> tuple[Mark, ...]:
    """The labels of an axis that overlap neither *now* (at ``now_pct``, if shown) nor its ends."""

    def width_pct(text: str) -> float:
        return 100 * (_CHARACTER_PX * len(text) + _APART_PX) / _NARROWEST_PX

    now_width = width_pct(language.text("now"))
    return tuple(
        one
        for one in labels
        if 3.0 < one.left < 97.0
        and (now_pct is None or abs(one.left - now_pct) > (now_width + width_pct(one.text)) / 2)
    )

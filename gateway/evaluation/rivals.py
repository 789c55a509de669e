"""Forecasts by two well-known libraries on the same tanks, to see what the watch's own is worth.

They are no dependency of the program: ``pip install 'noria[evaluate]'``. Both are given the true
draws of each past hour, which the watch has to estimate from readings.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import accumulate
from typing import cast

from gateway.errors import NoriaError
from gateway.evaluation import trial
from gateway.evaluation.catalog import make, seed_of
from gateway.evaluation.outlook import KNOWN_S, Draws, ForecastPoint, forecasts_of
from gateway.evaluation.scores import quantile
from gateway.evaluation.truth import HOUR_S

_AHEAD_HOURS = 72
_HORIZONS = (3, 6, 9, 12, 15, 18, 21, 24, 30, 36, 42, 48, 60, 72)
_EVERY = 20  # the fits for one forecast take seconds
_KEPT_HOURS = 14 * 24  # the watch's own memory
_QUANTILES = (0.1, 0.5, 0.9)

Curve3 = tuple[list[float], list[float], list[float]]
"""Litres drawn by each hour ahead: low, likely, high (80 % range)."""


def compare(stories: int) -> list[tuple[str, int, float | None, float | None]]:
    """For the watch and each rival: its name, how many forecasts, median error, coverage.

    ``stories`` months of ordinary life of the set ``report``. Raises NoriaError when the
    libraries are not installed.
    """
    rivals: dict[str, Callable[[Sequence[float], int], Curve3]] = {
        "AutoETS (statsforecast)": _auto_ets,
        "quantile boosting (scikit-learn)": _boosting,
    }
    _require()
    found: dict[str, list[tuple[float, float, float, float]]] = {}
    for i in range(stories):
        story = make("ordinary", seed_of(i, "report"))
        outputs = trial.run(story.registry, story.lines)
        for tank, levels in story.truth.levels.items():
            past = Draws(levels, story.truth.limits[tank][1])
            points = forecasts_of(tank, story.truth, outputs.forecasts)
            for point in [p for p in points if p.known_s >= KNOWN_S][::_EVERY]:
                _add(found, "the watch", point, (point.low_s, point.likely_s, point.high_s))
                for name, rival in rivals.items():
                    hours = past.by_hour(point.at)[-_KEPT_HOURS:]
                    curve = rival(hours, int(point.at // HOUR_S) % 24)
                    _add(found, name, point, _crossings(curve, past.left_l(point.at)))
    return [(name, len(rows), *_figures(rows)) for name, rows in found.items()]


def _require() -> None:
    for name in ("statsforecast", "sklearn"):
        try:
            import_module(name)
        except ImportError as error:
            raise NoriaError(
                f"--rivals needs {error.name}: pip install 'noria[evaluate]'"
            ) from error


def _add(
    found: dict[str, list[tuple[float, float, float, float]]], name: str, point: ForecastPoint,
    wait: Sequence[float | None],
) -> None:  # fmt: skip
    """A forecast of nothing counts as the end of the time ahead."""
    low, likely, high = (_AHEAD_HOURS * HOUR_S if w is None else w for w in wait)
    found.setdefault(name, []).append((point.true_s, low, likely, high))


def _figures(rows: Sequence[tuple[float, float, float, float]]) -> tuple[float | None, float]:
    errors = [abs(likely - true) / true for true, _, likely, _ in rows]
    covered = sum(low <= true <= high for true, low, _, high in rows)
    return quantile(errors, 0.5), covered / len(rows)


def _crossings(curve: Curve3, litres: float) -> tuple[float | None, float | None, float | None]:
    """Seconds until ``litres`` are drawn: soonest by the high curve, latest by the low one."""
    low, likely, high = curve
    return _first(high, litres), _first(likely, litres), _first(low, litres)


def _first(curve: Sequence[float], litres: float) -> float | None:
    before = 0.0
    for hour, drawn in enumerate(curve):
        if drawn >= litres:
            part = (litres - before) / (drawn - before) if drawn > before else 0.0
            return (hour + part) * HOUR_S
        before = drawn
    return None


def _auto_ets(hours: Sequence[float], _: int) -> Curve3:
    """Exponential smoothing chosen by AIC, a day's season; hourly bounds are summed as they are."""
    numpy, models = import_module("numpy"), import_module("statsforecast.models")
    fitted = models.AutoETS(season_length=24).forecast(
        y=numpy.array(hours, dtype=float), h=_AHEAD_HOURS, level=[80]
    )
    parts = (fitted["lo-80"], fitted["mean"], fitted["hi-80"])
    low, likely, high = (list(accumulate(max(float(x), 0.0) for x in part)) for part in parts)
    return low, likely, high


def _boosting(hours: Sequence[float], hour: int) -> Curve3:
    """Quantiles of the litres drawn within some hours, by hour of the day and horizon."""
    numpy, ensemble = import_module("numpy"), import_module("sklearn.ensemble")
    totals = [0.0, *accumulate(hours)]
    rows: list[tuple[int, int]] = []
    targets: list[float] = []
    for start in range(len(hours)):
        for ahead in _HORIZONS:
            if start + ahead <= len(hours):
                rows.append(((hour - len(hours) + start) % 24, ahead))
                targets.append(totals[start + ahead] - totals[start])
    asked = numpy.array([(hour, ahead) for ahead in _HORIZONS])
    curves: list[list[float]] = []
    for q in _QUANTILES:
        model = ensemble.HistGradientBoostingRegressor(
            loss="quantile", quantile=q, max_iter=60, random_state=0
        )
        model.fit(numpy.array(rows), numpy.array(targets))
        curves.append(_hourly(cast("list[float]", model.predict(asked).tolist())))
    return curves[0], curves[1], curves[2]


def _hourly(at_horizons: Sequence[float]) -> list[float]:
    """Litres by each hour ahead, between the horizons on a line, never falling."""
    curve: list[float] = []
    before_hour, before = 0, 0.0
    for ahead, litres in zip(_HORIZONS, at_horizons, strict=True):
        drawn = max(litres, before)
        steps = ahead - before_hour
        curve += [before + (drawn - before) * (k + 1) / steps for k in range(steps)]
        before_hour, before = ahead, drawn
    return curve

"""The chart: gaps are never bridged, extremes never lost, the forecast never before now."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.inputs import Reading
from gateway.domain.outputs import Span, TankEvent, TankNow
from server.charts import chart
from server.charts.line import line
from server.charts.scale import HEIGHT, WIDTH, Scale
from server.words.language import PageLanguage

NOW = 1795267920.0
HOUR = 3600.0
LANGUAGE = PageLanguage("en", "Europe/Paris")
ONE = Reading(
    tank="t", device="d", era="e", boot=1, seq=1, i=0, channel=0, at=NOW, received=NOW,
    estimated=False, quantity="mm", value=500, spread=3, valid=7, tried=7, temperature_dc=None,
    volume_l=500.0, sd_l=10.0,
)  # fmt: skip


def readings(*ages_h: float, litres: float = 500.0) -> list[Reading]:
    """Readings this many hours old, oldest first."""
    return [ONE._replace(at=NOW - age * HOUR, volume_l=litres) for age in sorted(ages_h)[::-1]]


def every(step_h: float, start_h: float, end_h: float) -> list[float]:
    return [start_h - i * step_h for i in range(int((start_h - end_h) / step_h) + 1)]


def test_a_gap_cuts_the_line_in_two():
    found = line(readings(*every(0.2, 10, 6), *every(0.2, 3, 0)), NOW - 10 * HOUR, NOW)
    assert len(found.runs) == 2
    assert [(round((NOW - a) / HOUR), round((NOW - b) / HOUR)) for a, b in found.gaps] == [(6, 3)]


def test_after_the_last_reading_is_a_gap_and_not_a_line():
    found = line(readings(*every(0.2, 10, 5)), NOW - 10 * HOUR, NOW)
    assert found.gaps[-1][1] == NOW
    assert found.runs[-1][-1][0] <= NOW - 4.9 * HOUR


def test_readings_without_litres_are_gaps():
    mute = [r._replace(volume_l=None) for r in readings(*every(0.2, 3, 0))]
    assert line(mute, NOW - 3 * HOUR, NOW).runs == ()


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=300))
def test_thinning_keeps_the_lowest_and_the_highest(levels: list[float]):
    span = 30 * 86400.0
    given_readings = [
        ONE._replace(at=NOW - span + i * span / len(levels), volume_l=v)
        for i, v in enumerate(levels)
    ]
    found = line(given_readings, NOW - span, NOW)
    kept = [litres for run in found.runs for _, litres in run]
    assert (min(kept), max(kept)) == (min(levels), max(levels))


def test_a_level_beyond_the_tank_stays_on_the_chart():
    scale = Scale(NOW - HOUR, NOW, 1000)
    assert scale.y(1200) == scale.y(1000)
    assert scale.y(-40) == HEIGHT


def known(**more: object) -> TankNow:
    base = TankNow("t", "ok", NOW, at=NOW - 240, received=NOW - 238, volume_l=480.0, sd_l=11.0)
    return replace(base, **more)  # pyright: ignore[reportArgumentType] - fields of TankNow


def drawn(now: TankNow, *events: TankEvent) -> chart.Chart:
    return chart.draw(
        LANGUAGE, "24h", now, 1000.0, (300.0, 150.0), readings(*every(0.2, 24, 0)), events, [], NOW
    )


def test_the_expected_band_begins_at_the_last_reading_and_ends_at_the_edge():
    low = Span(NOW + 4 * HOUR, NOW + 3 * HOUR, NOW + 6 * HOUR)
    empty = Span(NOW + 30 * HOUR, NOW + 26 * HOUR, NOW + 40 * HOUR)
    made = drawn(known(low_at=low, empty_at=empty))
    xs = [float(p.split()[0]) for p in made.middle[1:].split("L")]
    assert xs[0] <= made.now_x
    assert xs[-1] == WIDTH


def test_an_unknown_level_has_no_forecast():
    span = Span(NOW + HOUR, NOW, NOW + 2 * HOUR)
    assert drawn(known(state="unknown", low_at=span)).band == ""
    assert drawn(known()).band == ""


def test_refills_are_marked_with_their_litres():
    made = drawn(known(), TankEvent(NOW - 5 * HOUR, NOW - 4.8 * HOUR, "t", "refill", 704.0))
    assert [m.text.replace("\u00a0", " ") for m in made.refills] == ["Refill of about 700 L, 09:32"]


def test_the_table_has_the_figures_of_the_line():
    made = drawn(known())
    assert len(made.rows) == 25
    assert {row.low.replace("\u00a0", " ") for row in made.rows[1:-1]} == {"500 L"}

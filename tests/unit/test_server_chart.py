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


def axis(language: PageLanguage, range_: chart.Range, first_h: float | None = None) -> chart.Chart:
    first_at = None if first_h is None else NOW - first_h * HOUR
    ages = every(0.2, first_h or 24, 0)
    return chart.draw(
        language, range_, known(), 1000.0, (300.0, 150.0), readings(*ages), [], [], NOW,
        first_at=first_at,
    )  # fmt: skip


def test_no_label_of_the_axis_overlaps_now_in_either_language():
    """8 px a character of a chart 205 px wide: the widest of both at 320 px."""
    for code in ("en", "fr"):
        language = PageLanguage(code, "Europe/Paris")
        for range_ in ("24h", "7d", "30d"):
            made = axis(language, range_)
            assert len(made.ticks) >= 2, (code, range_)
            for tick in made.ticks:
                least_px = 4 * (len(language.text("now")) + len(tick.text))
                assert abs(tick.left - made.now_left) * 2.05 > least_px, (code, range_, tick.text)


def test_labels_are_hours_then_weekdays_then_dates():
    assert [t.text for t in axis(LANGUAGE, "24h").ticks][:2] == ["18\u00a0h", "0\u00a0h"]
    assert axis(LANGUAGE, "7d").ticks[0].text == "Sun"
    assert axis(LANGUAGE, "30d").ticks[0].text.endswith((" Oct", " Nov"))


def test_a_new_tank_is_drawn_from_its_first_reading_on():
    """What lies before the first reading is not missing."""
    assert axis(LANGUAGE, "24h", 6).gaps == ()
    assert chart.window("24h", NOW, NOW - 6 * HOUR) == (NOW - 6 * HOUR, NOW + 12 * HOUR)
    assert chart.window("24h", NOW, NOW - HOUR) == (NOW - 3 * HOUR, NOW + 6 * HOUR)
    assert chart.window("24h", NOW, NOW - 30 * HOUR) == chart.window("24h", NOW)


def test_a_tank_that_was_silent_before_has_a_gap_there():
    made = chart.draw(
        LANGUAGE, "24h", known(), 1000.0, (300.0, 150.0), readings(*every(0.2, 6, 0)), [], [], NOW
    )
    assert len(made.gaps) == 1
    assert made.gaps[0].width > 40

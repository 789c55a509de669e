"""Which spans of an InfluxDB series can be deleted without touching other rows."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.stores.influxdb.store import removable_spans


def test_adjacent_rows_to_remove_are_one_span() -> None:
    assert list(removable_spans([1, 2, 3, 7, 8, 9], {2, 3, 7, 9})) == [(2, 7), (9, 9)]


@given(stored=st.sets(st.integers(0, 60)), gone=st.sets(st.integers(0, 60)))
def test_the_spans_cover_exactly_the_rows_to_remove(stored: set[int], gone: set[int]) -> None:
    spans = list(removable_spans(sorted(stored), gone))
    covered = {n for n in stored if any(first <= n <= last for first, last in spans)}
    assert covered == stored & gone

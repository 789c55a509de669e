"""Which spans of an InfluxDB series can be deleted without touching what stays."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.stores.influxdb.removal import runs


def test_neighbours_that_go_are_one_span() -> None:
    assert list(runs([1, 2, 3, 7, 8, 9], {2, 3, 7, 9})) == [(2, 7), (9, 9)]


@given(there=st.sets(st.integers(0, 60)), gone=st.sets(st.integers(0, 60)))
def test_the_spans_hold_exactly_what_goes(there: set[int], gone: set[int]) -> None:
    spans = list(runs(sorted(there), gone))
    taken = {n for n in there if any(first <= n <= last for first, last in spans)}
    assert taken == there & gone

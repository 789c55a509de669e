"""The time in which a broker was connected, by the ``run`` entries of the journal."""

from gateway.monitoring.health import Run, listened_s


def runs(*entries: tuple[float, str]) -> list[Run]:
    """Entries of kind ``run``, each one second after the entry before it."""
    return [(at, what, at - 1) for at, what in entries]


def test_the_time_counts_from_connection_to_loss() -> None:
    entries = runs((0, "start"), (10, "broker_back"), (40, "broker_lost"), (60, "broker_back"))
    assert listened_s(entries, 0, 100) == 30 + 40


def test_a_clean_stop_ends_it_and_heartbeats_have_no_effect() -> None:
    entries = runs((0, "start"), (0, "broker_back"), (30, "heartbeat"), (50, "stop"), (90, "start"))
    assert listened_s(entries, 0, 100) == 50


def test_a_start_without_a_stop_means_down_since_the_entry_before() -> None:
    entries = [(0.0, "broker_back", 0.0), (100.0, "start", 40.0), (105.0, "broker_back", 100.0)]
    assert listened_s(entries, 0, 110) == 40 + 5


def test_only_time_in_the_window_counts() -> None:
    entries = runs((0, "broker_back"), (50, "broker_lost"))
    assert listened_s(entries, 20, 30) == 10
    assert listened_s(entries, 60, 90) == 0
    assert listened_s(runs((0, "broker_back")), 20, 90) == 70
    assert listened_s([], 0, 10) == 0

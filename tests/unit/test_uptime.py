"""How much of the time we listened, by our own notes."""

from gateway.monitoring.health import Run, listened_s


def runs(*notes: tuple[float, str]) -> list[Run]:
    """Notes every one of which follows another entry one second before it."""
    return [(at, what, at - 1) for at, what in notes]


def test_we_listen_from_the_brokers_coming_to_its_going() -> None:
    notes = runs((0, "start"), (10, "broker_back"), (40, "broker_lost"), (60, "broker_back"))
    assert listened_s(notes, 0, 100) == 30 + 40


def test_a_clean_stop_ends_it_and_heartbeats_change_nothing() -> None:
    notes = runs((0, "start"), (0, "broker_back"), (30, "heartbeat"), (50, "stop"), (90, "start"))
    assert listened_s(notes, 0, 100) == 50


def test_a_start_without_a_stop_means_down_since_the_entry_before() -> None:
    notes = [(0.0, "broker_back", 0.0), (100.0, "start", 40.0), (105.0, "broker_back", 100.0)]
    assert listened_s(notes, 0, 110) == 40 + 5


def test_only_what_lies_in_the_window_counts() -> None:
    notes = runs((0, "broker_back"), (50, "broker_lost"))
    assert listened_s(notes, 20, 30) == 10
    assert listened_s(notes, 60, 90) == 0
    assert listened_s(runs((0, "broker_back")), 20, 90) == 70
    assert listened_s([], 0, 10) == 0

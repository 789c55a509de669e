"""A tank's events on its page: one line for a move and its knocks."""

from dataclasses import replace

from gateway.domain.outputs import EventKind, TankEvent
from server.words.events import happenings
from server.words.language import PageLanguage

LANGUAGE = PageLanguage("en", "UTC")
AT = 1_795_608_000.0  # 12:00


def event(kind: EventKind, after_s: float, lasted_s: float = 1.0) -> TankEvent:
    return TankEvent(AT + after_s, AT + after_s + lasted_s, "north-1", kind)


def lines(*events: TankEvent) -> list[str]:
    return [h.text for h in happenings(LANGUAGE, events, [], AT + 7200)]


def test_a_single_knock_is_nothing_more() -> None:
    assert lines(event("knock", 0)) == ["Knocked, nothing more."]


def test_knocks_after_a_move_belong_to_it() -> None:
    found = lines(event("moved", 0, 41), event("knock", 90), event("knock", 600))
    assert found == ["Moved, and again until 12:10."]


def test_knocks_hours_apart_are_two_lines() -> None:
    found = lines(event("knock", 0), event("knock", 120), event("knock", 5000))
    assert found == ["Knocked, nothing more.", "Knocked several times until 12:02, nothing more."]


def test_an_event_in_between_keeps_its_place() -> None:
    found = lines(event("moved", 0), event("fault", 30), event("knock", 90))
    assert found == ["Sensor fault.", "Moved, and again until 12:01."]


def test_an_amount_has_its_bounds_rounded_outward() -> None:
    refill = TankEvent(AT, AT + 600, "north-1", "refill", 341.0, 311.0, 361.0)
    assert plain(refill) == "Refilled, about 340 L (310–370) in 10 min."
    assert plain(replace(refill, kind="draw")) == "Drawn, about 340 L (310–370) in 10 min."


def test_an_amount_whose_bounds_are_not_known_has_none() -> None:
    refill = TankEvent(AT, AT + 600, "north-1", "refill", 341.0, least_l=311.0)
    assert plain(refill) == "Refilled, about 340 L in 10 min."
    assert plain(replace(refill, most_l=361.0, litres=4.0, least_l=-6.0)) == (
        "Refilled, about 0 L (0–370) in 10 min."
    )


def plain(event: TankEvent) -> str:
    (line,) = lines(event)
    return line.replace("\u00a0", " ")

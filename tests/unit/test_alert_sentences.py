"""The sentences of each kind of incident: which figures they need, and their limits."""

from dataclasses import replace

import pytest

from gateway.alerts.text import Alert, ClaimNote
from gateway.domain.outputs import Figure, IncidentKind
from tests.unit.made_alerts import EN, HOUR, NOW, REGISTRY, alert, body, change


def sentences(kind: IncidentKind, **figures: Figure) -> str:
    """The message without its last sentence, who goes."""
    text = body(Alert(change(kind, figures), REGISTRY, EN, NOW))
    return text.removesuffix(" Nobody is going yet.").removesuffix(" Nobody is looking yet.")


@pytest.mark.parametrize(
    ("figures", "text"),
    [
        ({}, "Low: Canal 1, under 10 L."),
        ({"volume_l": 300}, "Low: Canal 1, about 300 L."),
        ({"volume_l": 300, "trend_lph": -9.9}, "Low: Canal 1, about 300 L."),
        ({"volume_l": 300, "trend_lph": 50}, "Low: Canal 1, about 300 L."),
        ({"volume_l": 300, "trend_lph": -10},
         "Low: Canal 1, about 300 L, falling by about 10 L/h."),
        ({"volume_l": 300, "trend_lph": -50, "empty_lo": NOW - 60, "empty_hi": NOW + HOUR},
         "Low: Canal 1, about 300 L, falling by about 50 L/h. Empty 14:30–15:35."),
        ({"volume_l": 300, "empty_lo": NOW + HOUR, "empty_hi": NOW + 2 * HOUR},
         "Low: Canal 1, about 300 L. Empty 15:30–16:35."),
        ({"volume_l": 300, "empty_lo": NOW - HOUR, "empty_hi": NOW}, "Low: Canal 1, about 300 L."),
        ({"volume_l": 300, "empty_lo": NOW}, "Low: Canal 1, about 300 L."),
        ({"volume_l": 300, "empty_hi": NOW + HOUR}, "Low: Canal 1, about 300 L."),
        ({"volume_l": True, "trend_lph": "x"}, "Low: Canal 1, under 10 L."),
    ],
)  # fmt: skip
def test_a_low_tank_names_trend_and_end_where_they_are_known(
    figures: dict[str, Figure], text: str
) -> None:
    assert sentences("low", **figures) == text
    if "trend_lph" not in figures:
        assert sentences("critical", **figures) == text.replace("Low", "Nearly empty")


def test_an_empty_tank_names_since_when() -> None:
    assert sentences("empty") == "Empty: Canal 1, since 14:02."
    assert sentences("empty", empty_since=NOW - HOUR) == "Empty: Canal 1, since 13:32."


@pytest.mark.parametrize(
    ("litres", "dry_s", "name", "text"),
    [
        (849.9, None, None, "Canal 1 has water again, about 850 L."),
        (850, None, None, "Canal 1 is full again, about 850 L."),
        (None, 0, "", "Canal 1 has water again, under 10 L."),
        (300, 1860, "Van 2",
         "Canal 1 has water again, about 300 L. Thank you, Van 2. It was dry for 31 min."),
        (300, None, "n" * 41, f"Canal 1 has water again, about 300 L. Thank you, {'n' * 39}…."),
    ],
)  # fmt: skip
def test_a_refilled_tank_is_full_from_85_percent(
    litres: float | None, dry_s: float | None, name: str | None, text: str
) -> None:
    going = None if name is None else ClaimNote(name)
    opened = alert("low", "https://x", going, NOW, volume_l=litres, dry_s=dry_s)
    assert body(replace(opened, change=replace(opened.change, change="closed"))) == text


def test_a_refill_is_measured_against_the_tanks_own_capacity() -> None:
    small = replace(change("empty", {"volume_l": 510}), tank="canal-2", change="closed")
    assert body(Alert(small, REGISTRY, EN, NOW)) == "canal-2 is full again, about 510 L."
    unknown = replace(small, tank="gone")
    assert body(Alert(unknown, REGISTRY, EN, NOW)) == "gone has water again, about 510 L."


@pytest.mark.parametrize(
    ("figures", "moved"),
    [
        ({}, "Since 14:02."),
        ({"motion_s": 0, "tilt_deg": 0}, "Since 14:02."),
        ({"motion_s": -1, "tilt_deg": -1}, "Since 14:02."),
        ({"motion_s": 0.5}, "It moved at 14:02."),
        ({"tilt_deg": 1}, "It moved at 14:02."),
        ({"silent_since": 0.0}, "It stopped answering at 14:02."),
        ({"silent_since": NOW, "motion_s": 1}, "It moved at 14:02, then stopped answering."),
    ],
)
def test_a_removal_names_what_was_noticed(figures: dict[str, Figure], moved: str) -> None:
    assert sentences("seized", **figures) == f"May have been taken: Canal 1. {moved} About 7 in 10."
    assert sentences("unknown", **figures, volume_l=640.0) == (
        f"Somebody should look: Canal 1. {moved} The cause is not known. It held about 640 L."
    )
    assert sentences("seized", **figures, volume_l=640.0).endswith(
        "About 7 in 10. It held about 640 L."
    )


@pytest.mark.parametrize(
    ("kind", "title"), [("drained", "May have been emptied"), ("slashed", "May have been cut")]
)
def test_a_loss_names_litres_where_they_are_known(kind: IncidentKind, title: str) -> None:
    assert sentences(kind) == f"{title}: Canal 1. Since 14:02. About 7 in 10."
    assert sentences(kind, lost_l=480.0) == (
        f"{title}: Canal 1. It lost about 480 L from 14:02. About 7 in 10."
    )
    assert sentences(kind, left_l=0) == (
        f"{title}: Canal 1. Since 14:02. About 7 in 10. Left in it: under 10 L."
    )


@pytest.mark.parametrize(
    ("kind", "figures", "text"),
    [
        ("lid_open", {}, "Lid open: Canal 1, since 14:02. The water may not be safe to drink."),
        ("moved_by_us", {}, "Moved: Canal 1, at 14:02. Most likely by one of us."),
        ("access_blocked", {}, "Access may be blocked: Canal 1. Since 14:02."),
        ("clone", {}, "Two devices speak as one: Canal 1. "
                      "Until it is clear which is ours, trust neither."),
        ("silent", {}, "Silent: Canal 1, since 14:02. Its level is unknown, not empty."),
        ("silent", {"last_word_at": NOW - HOUR},
         "Silent: Canal 1, since 13:32. Its level is unknown, not empty."),
        ("battery", {}, "Battery low: Canal 1. It may stop answering soon. "
                        "Its level is still right."),
        ("battery", {"last_word_at": NOW - HOUR},
         "Silent: Canal 1, since 13:32. Its battery, about 7 in 10. "
         "Its level is unknown, not empty."),
        ("sensor_fault", {},
         "Sensor fault: Canal 1, since 14:02. Its level is unknown, not empty."),
        ("sensor_fault", {"fault": "echo"},
         "Sensor fault: Canal 1, since 14:02. Its level is unknown, not empty."),
        ("sensor_fault", {"fault": "stuck"}, "Sensor fault: Canal 1, since 14:02. "
         "It repeats one figure. Do not trust its level."),
    ],
)  # fmt: skip
def test_each_kind_has_its_sentences(
    kind: IncidentKind, figures: dict[str, Figure], text: str
) -> None:
    assert sentences(kind, **figures) == text

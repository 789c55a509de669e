"""Stories of a battery: the warning in time, and what a silence after it is called."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.tank_story import HOUR, Story, registry_of

THEFT = {"seized", "drained", "slashed", "lid_open"}


def sends_all(story: Story, *millivolts: int | None, every: float = 900, next_s: int = 900) -> None:
    """One message for each voltage."""
    for mv in millivolts:
        story.sends(silent=True, at=story.at + every, mv=mv, next_s=next_s)


def silent_after(*millivolts: int | None, every: float = 900, next_s: int = 900) -> Story:
    """A node sends these voltages, then nothing for a day."""
    story = Story()
    sends_all(story, *millivolts, every=every, next_s=next_s)
    story.passes(24 * HOUR)
    return story


def terms(story: Story) -> list[str]:
    """The evidence of the last change of an incident."""
    return [because.term for because in story.incidents[-1].because]


def test_two_low_voltages_in_a_row_warn() -> None:
    story = Story()
    sends_all(story, 3600, 3499)
    assert story.summary == []
    sends_all(story, 3500, 3499)
    assert story.summary == [], "the limit itself is not low"
    sends_all(story, 3499)
    assert story.summary == ["opened battery!"]
    warning = story.incidents[0]
    assert warning.at == warning.received - 900, "since the first of the two"
    assert warning.figures == {"battery_mv": 3499}
    assert warning.probability == warning.causes["battery"] > 0.8


def test_two_good_voltages_in_a_row_end_the_warning() -> None:
    story = Story()
    sends_all(story, 3480, 3480, 3650, 3649, 3650)
    assert story.summary == ["opened battery!"]
    sends_all(story, 3650)
    assert story.summary == ["opened battery!", "closed battery"]
    assert story.incidents[-1].figures == {"battery_mv": 3650, "closed_why": "charged"}


def test_a_warning_that_a_person_closed_comes_back_only_after_a_charge() -> None:
    story = Story()
    sends_all(story, 3480, 3480)
    story.operator("close", story.incidents[0].id)
    sends_all(story, *[3480] * 4, 3600, *[3480] * 4)
    assert story.summary == ["opened battery!", "closed battery"]
    sends_all(story, 3650, *[3480] * 4)
    assert story.summary[2:] == ["opened battery!"]


@pytest.mark.parametrize(("last_mv", "summary"), [(3505, ["opened battery!"]), (3507, [])])
def test_a_battery_that_is_spent_before_the_next_message_warns_at_once(
    last_mv: int, summary: list[str]
) -> None:
    story = Story()
    falling = (4000, 3920, 3840, 3700, 3600)
    sends_all(story, *falling, last_mv, every=6 * HOUR, next_s=6 * HOUR)
    assert story.summary == summary


def test_a_battery_that_falls_slowly_does_not_warn_early() -> None:
    story = Story()
    sends_all(story, *range(3640, 3500, -20), every=6 * HOUR, next_s=6 * HOUR)
    assert story.summary == []


def test_five_values_make_no_trend() -> None:
    story = Story()
    sends_all(story, 3960, 3860, 3760, 3660, 3501, every=6 * HOUR, next_s=6 * HOUR)
    assert story.summary == []


def test_the_trend_is_that_of_the_last_twelve_values() -> None:
    story = Story()
    sends_all(story, *[3400, 3501] * 3, *[4100] * 7, *[3600] * 2, 3595)
    assert story.incidents == []
    sends_all(story, 3590, next_s=6 * HOUR)
    assert story.summary == ["opened battery!"]


def test_values_of_a_few_minutes_are_not_continued_for_hours() -> None:
    story = Story()
    sends_all(story, 3600, 3599, 3598, 3560, 3559, 3558, every=30, next_s=6 * HOUR)
    assert story.summary == []


@pytest.mark.parametrize(("last_mv", "summary"), [(3480, []), (3479, ["opened battery!"])])
def test_a_low_battery_that_rises_does_not_warn(last_mv: int, summary: list[str]) -> None:
    story = Story()
    sends_all(story, 3440, 3500, 3440, 3500, 3490, last_mv)
    assert story.summary == summary


def test_a_silence_after_a_low_battery_is_called_battery_and_ends_the_warning() -> None:
    story = silent_after(3480, 3480)
    assert story.summary == ["opened battery!", "closed battery", "opened battery!"]
    assert story.incidents[1].figures["closed_why"] == "silent"
    found = story.incidents[-1]
    assert found.probability == found.causes["battery"] > 0.8
    assert found.figures["battery_mv"] == 3480


def test_a_silence_after_a_good_battery_is_not() -> None:
    story = silent_after(3650, 3650)
    assert story.summary == ["opened silent!"]
    assert "battery_good" in terms(story)
    assert story.incidents[-1].causes["battery"] < 0.05


def test_between_low_and_good_nothing_speaks_for_or_against_the_battery() -> None:
    assert terms(silent_after(3649)) == ["silence"]
    assert terms(silent_after(3500)) == ["silence"]


def test_a_falling_battery_explains_a_silence() -> None:
    story = silent_after(4000, 3920, 3840, 3700, 3600, 3505, every=6 * HOUR, next_s=6 * HOUR)
    assert story.incidents[-1].kind == "battery"
    falling = next(b for b in story.incidents[-1].because if b.term == "battery_falling")
    assert falling.values == {"battery_mv": 3505, "expected_mv": 3399}
    assert falling.basis == "inferred"


@pytest.mark.parametrize("mv", [3450, 3600])
def test_on_a_charger_a_silence_is_not_called_battery(mv: int) -> None:
    story = silent_after(*[mv - 40] * 3, *[mv] * 3)
    assert story.incidents[-1].kind == "silent"
    assert "battery_charging" in terms(story)


def test_a_node_on_mains_has_no_battery_to_blame() -> None:
    story = silent_after(None, None)
    assert story.summary == ["opened silent!"]
    assert terms(story) == ["silence", "on_mains"]
    assert story.incidents[-1].causes["battery"] < 0.01


def test_a_third_party_that_sends_no_voltage_may_have_a_battery() -> None:
    registry = registry_of()
    row = replace(registry.devices["node-1"][0], key=None, unsigned=True)
    story = Story(replace(registry, devices={"node-1": (row,)}))
    story.sends(700, mv=None, auth="unsigned")
    story.passes(24 * HOUR)
    assert terms(story) == ["silence"]


def test_below_freezing_a_battery_is_suspected_more() -> None:
    warm, cold = Story(), Story()
    for story, air_dc in ((warm, 0), (cold, -1)):
        story.sends(700, mv=3600, air_dc=air_dc)
        story.passes(24 * HOUR)
    assert terms(warm) == ["silence"]
    assert terms(cold) == ["silence", "battery_cold"]
    assert cold.incidents[-1].because[1].values == {"temperature_c": -0.1}
    assert cold.incidents[-1].causes["battery"] > warm.incidents[-1].causes["battery"]


@pytest.mark.parametrize(
    ("dbm", "fades"),
    [
        ([-77, -77, -77, -85], True),
        ([-77, -77, -77, -84], False),
        ([-78, -78, -78, -85], False),
        ([-77, -77, -85], False),
        ([-60, -60, -60, -84], False),
        ([-60, -60, -60, -60, -90], True),
    ],
)
def test_a_signal_that_faded_points_to_the_network(dbm: list[int], fades: bool) -> None:
    story = Story()
    for rssi in dbm:
        story.sends(700, at=story.at + 900, rssi=rssi)
    story.passes(24 * HOUR)
    assert ("signal_fading" in terms(story)) is fades


def test_a_silence_tells_how_probably_it_is_not_the_network() -> None:
    story = silent_after(3600)
    assert story.incidents[-1].kind == "silent"
    assert story.incidents[-1].probability == 1 - story.incidents[-1].causes["network_out"] < 0.9


def test_a_fading_battery_alerts_before_the_silence_and_explains_it() -> None:
    story = Story()
    for millivolts in range(3700, 3380, -20):
        story.at += 900
        story.sends(700, mv=millivolts)
    assert story.summary == ["opened battery!"]
    story.passes(2 * HOUR)
    assert story.summary == ["opened battery!", "closed battery", "opened battery!"]
    assert story.incidents[-1].probability > 0.7
    assert not {i.kind for i in story.incidents} & THEFT


def test_a_charged_battery_closes_the_warning() -> None:
    story = Story()
    for millivolts in (3480, 3480, 3600, 3700, 3700, 3480):
        story.at += 900
        story.sends(700, mv=millivolts)
    assert story.summary == ["opened battery!", "closed battery"]


def test_the_signal_before_and_after_is_told() -> None:
    story = Story()
    for rssi in (-70, -71, -72, -90):
        story.sends(700, at=story.at + 900, rssi=rssi)
    story.passes(24 * HOUR)
    fading = next(b for b in story.incidents[-1].because if b.term == "signal_fading")
    assert fading.values == {"rssi_dbm": -90, "before_dbm": -70}


def test_the_last_twelve_values_are_kept() -> None:
    story = Story()
    for number in range(20):
        story.sends(silent=True, at=story.at + 900, mv=3700 + number, rssi=-60 - number)
    record: Any = story.watch.dirty()["device:node-1"]
    assert [mv for _, mv in record["battery"]] == list(range(3708, 3720))
    assert record["rssi"] == list(range(-68, -80, -1))

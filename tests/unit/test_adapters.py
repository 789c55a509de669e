"""Documented third-party payloads become readings."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ingest.adapters import units
from gateway.ingest.adapters.feed import FeedReader, with_numbers
from gateway.ingest.adapters.formats import Unreadable
from gateway.wire import decode
from tests.unit import third_party as theirs

NOW = 1795212000.5
THEN = "2026-11-20T21:59:50.775023242+00:00"


@pytest.fixture
def readers(tmp_path: Path) -> dict[str, FeedReader]:
    return {feed.device: FeedReader(feed) for feed in theirs.read(tmp_path).feeds}


def test_tasmotas_level_temperature_and_signal(readers: dict[str, FeedReader]) -> None:
    fields, uplink = readers["feedaa"].read(theirs.TASMOTA, theirs.tasmota(41.26), NOW)
    assert fields["r"] == [{"o": 0, "mm": 413, "tc": 112}]
    assert (fields["t"], fields["ts"], fields["next"], fields["fw"]) == (
        1795212000,
        "gw",
        300,
        "tasmota",
    )
    assert uplink.identity == theirs.tasmota(41.26)
    state, _ = readers["feedaa"].read(theirs.STATE, theirs.TASMOTA_STATE, NOW)
    assert (state["r"], state["rssi"]) == ([], -64)
    nothing, _ = readers["feedaa"].read(theirs.TASMOTA, theirs.tasmota(None), NOW)
    assert nothing["r"] == [{"o": 0, "mm": None, "tc": 112}]


def test_esphomes_states_are_plain_text_and_nan_is_no_echo(readers: dict[str, FeedReader]) -> None:
    reader = readers["feedbb"]
    assert reader.read(theirs.ESPHOME, b"0.4120", NOW)[0]["r"] == [{"o": 0, "mm": 412}]
    assert reader.read(theirs.ESPHOME, b"nan", NOW)[0]["r"] == [{"o": 0, "mm": None}]
    assert reader.read(theirs.ESPHOME, b"-1", NOW)[0]["r"] == [{"o": 0, "mm": None}]
    volts = reader.read(theirs.VOLTS, b"3.912", NOW)[0]
    assert (volts["mv"], volts["r"]) == (3912, [])
    for nothing in (b"unavailable", b"inf", b"9e99", b"No Sensor", b"true"):
        assert reader.read(theirs.ESPHOME, nothing, NOW)[0]["r"] == [{"o": 0, "mm": None}]
    assert reader.read(theirs.ESPHOME, b" 0,412 ", NOW)[0]["r"] == [{"o": 0, "mm": 412}]
    for wrong in (b"", b"\xff"):
        with pytest.raises(Unreadable):
            reader.read(theirs.ESPHOME, wrong, NOW)


def test_chirpstacks_uplink_has_the_networks_receive_time(
    readers: dict[str, FeedReader],
) -> None:
    fields, uplink = readers["feedcc"].read(theirs.CHIRPSTACK, theirs.chirpstack(12.0, THEN), NOW)
    assert fields["r"] == [{"o": 0, "pa": 4903}]  # half of 1 m of water
    assert (fields["t"], fields["ts"], fields["mv"], fields["rssi"]) == (
        1795211990,
        "net",
        3610,
        -36,
    )
    assert uplink.identity == b"57433366-50a6-4dc2-8145-2df1bbc70d9e"
    broken = readers["feedcc"].read(theirs.CHIRPSTACK, theirs.chirpstack(3.2, THEN), NOW)[0]
    assert broken["r"] == [{"o": 0, "pa": None}]
    with pytest.raises(Unreadable, match="v4"):
        readers["feedcc"].read(theirs.CHIRPSTACK, b'{"devEUI":"AQEBAQEBAQE=","fCnt":3}', NOW)


def test_the_things_uplink_is_identified_by_session_and_counter(
    readers: dict[str, FeedReader],
) -> None:
    reader = readers["feeddd"]
    fields, uplink = reader.read(theirs.THINGS, theirs.things(63.5, THEN), NOW)
    assert fields["r"] == [{"o": 0, "bp": 6350}]
    assert (fields["ts"], fields["rssi"]) == ("net", -71)
    first = reader.read(theirs.THINGS, theirs.things(63.5, THEN, None), NOW)[1]
    again = reader.read(theirs.THINGS, theirs.things(63.5, THEN), NOW + 60)[1]
    assert uplink.identified(NOW) == again.identified(NOW + 60)
    later = reader.read(theirs.THINGS, theirs.things(63.5, THEN.replace("21:59", "22:00")), NOW)[1]
    other = reader.read(theirs.THINGS, theirs.things(64.5, THEN), NOW)[1]
    assert len({u.identified(NOW) for u in (uplink, first, later, other)}) == 4
    with pytest.raises(Unreadable, match="simulated"):
        reader.read(theirs.THINGS, theirs.things(63.5, THEN, simulated=True), NOW)
    payload = json.loads(theirs.things(1, THEN))
    payload["uplink_message"]["decoded_payload"] = {"percents": 63.5}
    fields, uplink = reader.read(theirs.THINGS, json.dumps(payload).encode(), NOW)
    assert fields["r"] == [{"o": 0, "bp": None}]
    wanted = "there is no uplink_message.decoded_payload.percent; there is percents"
    assert uplink.problem == wanted


@pytest.mark.parametrize(("later_s", "is_new"), [(0, False), (240, False), (3600, True)])
def test_tasmotas_time_identifies_its_message_for_about_an_hour(
    readers: dict[str, FeedReader], later_s: int, is_new: bool
) -> None:
    """The hour before the clocks go back is repeated, with the same level."""
    reader = readers["feedaa"]
    first = reader.read(theirs.TASMOTA, theirs.tasmota(41.2), NOW)[1]
    again = reader.read(theirs.TASMOTA, theirs.tasmota(41.2), NOW + later_s)[1]
    assert (first.identified(NOW) != again.identified(NOW + later_s)) == is_new


def test_tasmotas_clock_that_was_never_set_identifies_nothing(
    readers: dict[str, FeedReader],
) -> None:
    payload = b'{"Time":"1970-01-01T00:05:00","SR04":{"Distance":41.2}}'
    fields, uplink = readers["feedaa"].read(theirs.TASMOTA, payload, NOW)
    assert fields["r"] == [{"o": 0, "mm": 412}]
    assert uplink.identified(NOW) is None


def test_tasmotas_message_without_its_sensor_is_a_reading_without_a_value(
    readers: dict[str, FeedReader],
) -> None:
    payload = b'{"Time":"2026-11-25T21:00:00","SR04-1":{"Distance":41.2}}'
    fields, uplink = readers["feedaa"].read(theirs.TASMOTA, payload, NOW)
    assert fields["r"] == [{"o": 0, "mm": None}]
    assert uplink.problem == "there is no SR04; there is SR04-1"


@pytest.mark.parametrize("when", ["2019-01-01T00:00:00Z", "2026-11-20T23:00:00Z"])
def test_an_impossible_network_time_is_replaced_by_the_receive_time(
    readers: dict[str, FeedReader], when: str
) -> None:
    fields, _ = readers["feedcc"].read(theirs.CHIRPSTACK, theirs.chirpstack(12.0, when), NOW)
    assert (fields["t"], fields["ts"]) == (1795212000, "gw")


def test_a_payload_becomes_a_message_marked_as_unsigned(
    readers: dict[str, FeedReader],
) -> None:
    fields, _ = readers["feeddd"].read(theirs.THINGS, theirs.things(63.5, THEN), NOW)
    for entry in (0, 17, (1 << 31) + 5):
        found = decode(with_numbers(fields, entry), device="feeddd", feed=True)
        assert found.flag is None and found.message is not None
        assert found.message.era == "unsigned"
        assert found.message.readings[0].quantity == "bp"
    assert decode(with_numbers(fields, 17), device="feeddd").flag == "bad_reading"


@pytest.mark.parametrize(
    ("figure", "unit", "value", "expected"),
    [
        ("distance", "mm", 412, 412), ("distance", "cm", 41.2, 412), ("distance", "m", 0.412, 412),
        ("height", "cm", 50, 4903), ("weight", "kg", 12.3456, 12346), ("weight", "g", 5, 5),
        ("pressure", "Pa", 4903, 4903), ("pressure", "hPa", 49.03, 4903),
        ("pressure", "mbar", 49.03, 4903), ("pressure", "kPa", 4.903, 4903),
        ("pressure", "bar", 0.04903, 4903), ("volume", "L", 412.5, 412500),
        ("volume", "ml", 7, 7), ("volume", "m3", 0.5, 500000), ("fill", "%", 41.25, 4125),
        ("fill", "1", 0.4125, 4125), ("battery", "V", 3.9, 3900), ("temperature", "F", 50, 100),
        ("temperature", "K", 283.15, 100), ("temperature", "C", -4.5, -45),
        ("rssi", "dBm", -71, -71), ("distance", "in", 16.25, 413), ("height", "ft", 1, 2989),
        ("pressure", "psi", 1, 6895), ("weight", "lb", 100, 45359), ("volume", "gal_us", 10, 37854),
        ("volume", "gal_uk", 10, 45461),
    ],
)  # fmt: skip
def test_units(figure: str, unit: str, value: float, expected: int) -> None:
    converted = units.FIGURES[figure].units[unit](value)
    assert converted is not None and round(converted) == expected


def test_a_current_loop_outside_its_range_is_broken_and_not_empty() -> None:
    convert = units.current_loop(2.0)
    assert convert(4.0) == 0
    assert convert(20.0) == pytest.approx(2000 * 9.80665)
    assert convert(3.5) is None and convert(21.5) is None


@given(st.binary(max_size=300), st.sampled_from(theirs.FEEDS))
def test_no_payload_crashes_an_adapter(payload: bytes, device: str) -> None:
    assert _taken(device, payload) in (True, False)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["SR04", "Distance", "Time", "object", "current_ma", "time", "deduplicationId",
                 "uplink_message", "decoded_payload", "percent", "received_at", "rxInfo", "rssi",
                 "liquid_level_percent", "last_seen", "voltage", "depth_cm", "time"]
            ),
            inner, max_size=4,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@given(_JSON, st.sampled_from(theirs.FEEDS))
def test_no_json_crashes_an_adapter(document: Any, device: str) -> None:
    assert _taken(device, json.dumps(document).encode()) in (True, False)


def _taken(device: str, payload: bytes) -> bool:
    feed = _FEEDS[device]
    try:
        fields, _ = FeedReader(feed).read(feed.level.topic, payload, NOW)
    except Unreadable:
        return False
    assert decode(with_numbers(fields, 1), device=device, feed=True).flag is None
    return True


def _feeds() -> dict[str, Any]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return {feed.device: feed for feed in theirs.read(Path(folder)).feeds}


_FEEDS = _feeds()

"""Any JSON object becomes a reading, with its sender's time, a scale and an offset."""

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.ingest.adapters.feed import FeedReader
from gateway.ingest.adapters.formats import Unreadable
from server.command.main import cli
from tests.unit import third_party as theirs

NOW = 1795212000.5
THEN = "2026-11-20T21:59:50.775023242+00:00"


@pytest.fixture
def readers(tmp_path: Path) -> dict[str, FeedReader]:
    return {feed.device: FeedReader(feed) for feed in theirs.read(tmp_path).feeds}


def test_zigbee2mqtts_state_has_the_time_of_its_last_message(
    readers: dict[str, FeedReader],
) -> None:
    reader = readers["feedee"]
    fields, uplink = reader.read(theirs.ZIGBEE, theirs.zigbee(74, THEN), NOW)
    assert fields["r"] == [{"o": 0, "bp": 7400}]
    assert (fields["t"], fields["ts"], fields["fw"]) == (1795211990, "net", "json")
    later = reader.read(theirs.ZIGBEE, theirs.zigbee(74, THEN.replace("21:59", "22:00")), NOW)[1]
    again = reader.read(theirs.ZIGBEE, theirs.zigbee(74, THEN), NOW + 60)[1]
    assert uplink.identified(NOW) == again.identified(NOW + 60) != later.identified(NOW)
    # Other zones of the same moment, and the same hour of an unknown zone, which dates nothing.
    local = reader.read(theirs.ZIGBEE, theirs.zigbee(74, "2026-11-20T22:59:50+01:00"), NOW)[0]
    assert (local["t"], local["ts"]) == (1795211990, "net")
    naive, dated = reader.read(theirs.ZIGBEE, theirs.zigbee(74, "2026-11-20 22:59:50"), NOW)
    assert (naive["t"], naive["ts"]) == (1795212000, "gw") and dated.identified(NOW) is not None
    none, uplink = reader.read(theirs.ZIGBEE, theirs.zigbee(74, None), NOW)
    assert (none["t"], none["ts"]) == (1795212000, "gw") and uplink.identified(NOW) is None


def test_scale_and_offset_make_a_figure_of_a_voltage(readers: dict[str, FeedReader]) -> None:
    reader = readers["feedff"]
    half = theirs.shelly(2.5, xvoltage=2.5)  # 2.5 psi of 5
    assert reader.read(theirs.SHELLY, half, NOW)[0]["r"] == [{"o": 0, "pa": 17237}]
    empty = reader.read(theirs.SHELLY, theirs.shelly(0.5), NOW)[0]
    assert empty["r"] == [{"o": 0, "pa": 0}]
    assert reader.read(theirs.SHELLY, theirs.shelly(0.45), NOW)[0]["r"] == [{"o": 0, "pa": -431}]
    nothing, uplink = reader.read(theirs.SHELLY, theirs.shelly(None, errors=["read"]), NOW)
    assert nothing["r"] == [{"o": 0, "pa": None}] and nothing["ts"] == "gw"
    assert uplink.identified(NOW) is None
    for payload in (b"4.321", b"[4.321]", b"{", b'"on"'):
        with pytest.raises(Unreadable):
            reader.read(theirs.SHELLY, payload, NOW)


def test_rtl_433s_depth_of_zero_is_no_reading(readers: dict[str, FeedReader]) -> None:
    reader = readers["feedgg"]
    fields, _ = reader.read(theirs.RTL_433, theirs.rtl_433(42, 1795211990), NOW)
    assert fields["r"] == [{"o": 0, "mm": 420, "tc": 150}]
    assert (fields["t"], fields["ts"]) == (1795211990, "net")
    fields, _ = reader.read(theirs.RTL_433, theirs.rtl_433(0, 1795211990), NOW)
    assert fields["r"] == [{"o": 0, "mm": None, "tc": 150}]
    for never_set in (0, 5.5, "", "nan", "@0.011780s", 1e308):
        fields, uplink = reader.read(theirs.RTL_433, theirs.rtl_433(42, never_set), NOW)
        assert (fields["t"], fields["ts"]) == (1795212000, "gw"), never_set
        assert uplink.identified(NOW) is None or never_set == 1e308


def test_a_senders_clock_that_begins_again_is_no_redelivery(
    readers: dict[str, FeedReader],
) -> None:
    """Without a network it counts from its build's date at each start."""
    reader, payload = readers["feedgg"], theirs.rtl_433(42, 1767225660)
    first = reader.read(theirs.RTL_433, payload, NOW)[1]
    again = reader.read(theirs.RTL_433, payload, NOW + 60)[1]
    restarted = reader.read(theirs.RTL_433, payload, NOW + 7200)[1]
    assert first.identified(NOW) == again.identified(NOW + 60)
    assert first.identified(NOW) != restarted.identified(NOW + 7200)


@pytest.mark.parametrize(
    ("pick", "value", "reading"),
    [
        ('fill = { path = "v", unit = "%", scale = -50, offset = 150 }', 1.5, {"bp": 7500}),
        ('distance = { path = "v", unit = "cm", offset = 5 }', -1, {"mm": None}),
        ('distance = { path = "v", unit = "cm", offset = -5 }', 4, {"mm": None}),
        ('distance = { path = "v", unit = "in", scale = 0.1 }', 162.5, {"mm": 413}),
        ('weight = { path = "v", unit = "kg", offset = -12.5 }', 12, {"g": -500}),
        ('pressure = { path = "v", unit = "mA", full_scale_m = 1.0, scale = 4 }', 3, {"pa": 4903}),
    ],
)
def test_scale_and_offset_apply_before_the_unit(
    tmp_path: Path, pick: str, value: float, reading: dict[str, int | None]
) -> None:
    text = theirs.MAPPING.replace('distance = { path = "SR04.Distance", unit = "cm" }', pick)
    text = text.replace('from = "tasmota"', 'from = "json"', 1)
    reader = FeedReader(theirs.read(tmp_path, text).feeds[0])
    fields, _ = reader.read(theirs.TASMOTA, json.dumps({"v": value}).encode(), NOW)
    assert fields["r"] == [{"o": 0, **reading}]


@pytest.mark.parametrize(("at_s", "problem"), [(-60, False), (None, True), (-60_000_000, True)])
def test_the_trial_says_whether_the_senders_time_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_s: float | None, problem: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    theirs.read(tmp_path)
    now = time.time()
    at = now * 1000 if at_s is None else now + at_s  # milliseconds, as the mapping does not say
    Path("payload.json").write_bytes(theirs.rtl_433(42, at))
    arguments = ["adapters", "test", "adapters.toml", "payload.json", "--topic", theirs.RTL_433]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["taken_as"]["r"] == [{"o": 0, "mm": 420, "tc": 150}]
    assert found["time"] == ("of receipt" if problem else "the sender's")
    assert ("no s near now at its path" in found.get("time_problem", "")) == problem

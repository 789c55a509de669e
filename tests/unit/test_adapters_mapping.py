"""The mapping file of third-party sensors: mistakes are named with their line and the remedy."""

from pathlib import Path

import pytest

from gateway.errors import SettingError
from gateway.ingest.adapters import mapping, paths
from gateway.ingest.adapters.formats import Unreadable
from tests.unit import third_party as theirs


def test_the_example_is_a_mapping_without_mistakes() -> None:
    found = mapping.read(mapping.EXAMPLE)
    assert {feed.adapter.name for feed in found.feeds} == set(mapping.ADAPTERS)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('from = "tasmota"', 'from = "tasmotta"', 7, "use one of esphome, tasmota"),
        ('from = "tasmota"\n', "", 5, "it is missing"),
        ('unit = "cm"', 'unit = "inch"', 10, "use one of mm, cm, m"),
        ('path = "SR04.Distance"', 'path = "SR04..Distance"', 10, "as SR04.Distance"),
        ("every_s = 300", "every_s = 1", 9, "use a whole number from 10 to 604800"),
        (f'topic = "{theirs.TASMOTA}"', 'topic = "noria/1/k7f3q5/SENSOR"', 8, "no place there"),
        (f'topic = "{theirs.TASMOTA}"', 'topic = "tele/+/SENSOR"', 8, "without + and #"),
        (f'topic = "{theirs.TASMOTA}"', 'topic = "stat/tank7/RESULT"', 8, "look like tele/"),
        ('device = "feedbb"', 'device = "feedaa"', 15, "stands twice"),
        ('device = "feedaa"', 'device = "Feed 1"', 6, "use 6-16 of a-z and 2-7"),
        ("every_s = 300", "every_s = 300\nevery = 3", 10, "no such field"),
        (", full_scale_m = 1.0", "", 27, "how many metres of water 20 mA means"),
        ('unit = "%" }', 'unit = "%" }\nvolume = { path = "v", unit = "L" }', 31, "exactly one of"),
        ('url = "mqtt://127.0.0.1:1883"', 'url = "http://x"', 3, "use mqtt://host:1883"),
        ('url = "mqtt://127.0.0.1:1883"', 'url = "mqtt://a:hush@h"', 3, "no password"),
        ('distance = { unit = "m" }', 'distance = { unit = "m", path = "x" }', 19, "no path"),
        ('every_s = 60\n', 'every_s = 60\nbroker = "work"\n', 19, "name the id of the [[broker]]"),
        ('unit = "V" }', 'unit = "V", note = "x" }', 20, "no field 'note'"),
        ("every_s = 60", "every_s = ", 18, "not TOML"),
        (theirs.ZIGBEE, "zigbee2mqtt/Réservoir nord", 40, "without accents"),
        ('unit = "iso"', 'unit = "utc"', 43, "unit = 'utc': use one of s, ms, iso"),
        ('path = "last_seen"', 'path = ""', 43, "path = ''"),
        ('time = { path = "last_seen", unit = "iso" }', 'time = "last_seen"', 43, "write it as"),
        ('unit = "iso" }', 'unit = "iso", zone = 1 }', 43, "no field 'zone'"),
        ("scale = 1.25", "scale = 0", 50, "scale = 0: every reading would be the offset"),
        ("scale = 1.25", "scale = true", 50, "scale = True: use a number"),
        ("offset = -0.625", "offset = nan", 50, "offset = nan: use a number"),
        ('every_s = 300\n', 'every_s = 300\ntime = { path = "Time", unit = "iso" }\n', 10,
         "tasmota has a time of its own or none: leave it out"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_its_line_and_the_remedy(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    assert old in theirs.MAPPING
    with pytest.raises(SettingError) as error:
        theirs.read(tmp_path, theirs.MAPPING.replace(old, new, 1))
    assert f"line {line}" in str(error.value), error.value
    assert message in str(error.value)
    assert "hush" not in str(error.value)


def test_paths_go_from_the_top_through_names_and_places() -> None:
    document = {"a": [{"b c": 3}]}
    path = paths.parsed("a[0].b c")
    assert path is not None and path == ("a", 0, "b c")
    assert paths.find(document, path) == 3
    with pytest.raises(Unreadable, match=r"there is no a\[1\]"):
        paths.find(document, ("a", 1, "b"))
    assert paths.parsed("a.[0]") is None and paths.parsed("") is None

"""A registry file: read strictly, and read back unchanged after writing."""

import tomllib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.registry import Device, Install, Plan, Registry, Site, Tank
from gateway.errors import RegistryError
from gateway.registry import toml

KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
WHOLE = f"""
[[site]]
id = "north"
people_low = 120
people_high = 180
people_source = "count of 2026-11-02"
timezone = "Europe/London"

[[tank]]
id = "north-1"
site = "north"
kind = "tank"
shape = "ibc1000"
capacity_l = 1000
empty_l = 20
sensor_height_mm = 1100
taps = 4
low_pct = 30
critical_pct = 15

[[tank]]
id = "cans"
site = "north"
kind = "station"
tare_g = 12000
cans = 12
can_l = 20

[[device]]
id = "k7f3q5"
tank = "north-1"
key = "{KEY}"
uplink = "north-router"
sensor = "a02yyuw"
temp_comp = "sensor"

[[install]]
device = "k7f3q5"
tank = "north-1"
from = 2026-11-02T09:00:00Z
sensor_height_mm = 1100

[[plan]]
tank = "north-1"
from = 2026-11-21T14:00:00Z
to = 2026-11-21T16:00:00Z
kind = "move"
"""


def read(text: str, known: Registry | None = None) -> Registry:
    return toml.parse(tomllib.loads(text), known)


def test_every_documented_field_is_read() -> None:
    registry = read(WHOLE)
    assert registry.sites["north"] == (
        Site("north", "", people_low=120, people_high=180, people_source="count of 2026-11-02",
             timezone="Europe/London"),
    )  # fmt: skip
    assert registry.tank("north-1") == Tank(
        "north-1", "", "north", capacity_l=1000, empty_l=20, sensor_height_mm=1100, taps=4,
    )  # fmt: skip
    assert registry.device("k7f3q5") == Device(
        "k7f3q5", "north-1", key=bytes(range(32)), uplink="north-router"
    )
    assert registry.installs["k7f3q5"] == (
        Install("k7f3q5", "north-1", 1793610000.0, sensor_height_mm=1100),
    )
    assert registry.plans["north-1"] == (Plan("north-1", 1795269600.0, 1795276800.0, "move"),)


def test_a_site_is_in_paris_unless_it_has_another_time_zone() -> None:
    site = read('[[site]]\nid = "s"\n').site("s")
    assert site is not None
    assert site.timezone == "Europe/Paris"


def test_a_stations_capacity_is_that_of_its_cans() -> None:
    station = read(WHOLE).tank("cans")
    assert station is not None
    assert (station.shape, station.capacity_l, station.tare_g) == (None, 240.0, 12000)


SHAPES: list[tuple[str, float]] = [
    ('shape = "ibc600"', 600.0),
    ('shape = "cylinder"\ndiameter_mm = 900\ncapacity_l = 750', 750.0),
    ('shape = "lying"\ndiameter_mm = 1000\nlength_mm = 2000', 1570.8),
    ('shape = "box"\nlength_mm = 1000\nwidth_mm = 800\ncapacity_l = 800', 800.0),
    ('shape = "table"\ntable = [[0, 0], [500, 530], [1000, 1040]]', 1040.0),
]


@pytest.mark.parametrize(("shape", "litres"), SHAPES)
def test_every_shape_has_its_capacity(shape: str, litres: float) -> None:
    tank = read(f'[[site]]\nid = "s"\n[[tank]]\nid = "t"\nsite = "s"\n{shape}\n').tank("t")
    assert tank is not None
    assert tank.capacity_l == litres


WRONG: list[tuple[str, str, str]] = [
    (
        '"Europe/London"',
        '"Europe/Calais"',
        "[[site]] north: timezone = 'Europe/Calais': use a name such as Europe/Paris",
    ),
    ('"Europe/London"', "1", "[[site]] north: timezone = 1: use a name such as Europe/Paris"),
    ("low_pct = 30", "low_pct = 130", "[[tank]] north-1: low_pct = 130: use a number from 0 to"),
    ("low_pct = 30", "low_pct = 10", "critical_pct = 15 must be below low_pct = 10"),
    ("taps = 4", "taps = true", "[[tank]] north-1: taps = True: use a whole number"),
    ("taps = 4", "tapps = 4", "[[tank]] north-1: no field is called 'tapps'"),
    ("= 1100\ntaps", "= -5\ntaps", "sensor_height_mm = -5: use a whole number from 1"),
    ('shape = "ibc1000"', 'shape = "cylinder"', "shape = 'cylinder' needs diameter_mm"),
    ('shape = "ibc1000"', 'shape = "cube"', "[[tank]] north-1: shape = 'cube': use one of ibc"),
    ('shape = "ibc1000"\n', "", "[[tank]] north-1: shape is missing"),
    ("empty_l = 20", "empty_l = 1000", "empty_l = 1000 leaves nothing"),
    ('site = "north"\nkind = "tank"', 'site = "nort"', "[[tank]] north-1: site = 'nort': no site"),
    ('id = "north-1"', 'id = "north 1"', "[[tank]] north 1: id = 'north 1': use 1-64 letters"),
    ('id = "cans"', 'id = "north-1"', "[[tank]] north-1 stands twice"),
    (KEY, KEY[:-2], "[[device]] k7f3q5: key: use 64 hex digits (32 bytes), not 62 characters"),
    (f'key = "{KEY}"\n', "", "[[device]] k7f3q5: key is missing: add 64 hex digits, or unsigned"),
    (f'key = "{KEY}"', f'key = "{KEY}"\nunsigned = true', "key and unsigned = true exclude"),
    ('id = "k7f3q5"', 'id = "K7F3Q5"', "[[device]] K7F3Q5: id = 'K7F3Q5': use 6-16 of a-z"),
    ('tank = "north-1"\nkey', 'tank = "south"\nkey', "[[device]] k7f3q5: tank = 'south': no tank"),
    ('device = "k7f3q5"', 'device = "k7f3q6"', "[[install]] k7f3q6: device = 'k7f3q6': no device"),
    ('"a02yyuw"', '"a02"', "[[device]] k7f3q5: sensor = 'a02': use one of a02yyuw"),
    ("16:00:00Z", "13:00:00Z", "[[plan]] north-1: to must be later than from"),
    ("T16:00:00Z", "T16:00:00", "[[plan]] north-1: to = 2026-11-21T16:00:00: add the offset"),
    ('kind = "move"', 'kind = "party"', "[[plan]] north-1: kind = 'party': use one of move"),
    ("people_high = 180", "people_high = 18", "people_low = 120 is above people_high = 18"),
    ("[[site]]", "[[sites]]", "no table is called 'sites': use site, tank, device"),
    ("[[site]]", "[site]", "[site] must be a list: write [[site]]"),
    ('kind = "station"', 'kind = "station"\nshape = "box"', "a station is weighed; leave shape"),
    ("can_l = 20", "", "a station needs cans and can_l"),
    ("cans = 12", "cans = 0", "[[tank]] cans: cans = 0: use a whole number from 1"),
]


@pytest.mark.parametrize(("old", "new", "message"), WRONG)
def test_an_error_names_row_field_value_and_remedy(old: str, new: str, message: str) -> None:
    assert old in WHOLE
    with pytest.raises(RegistryError) as error:
        read(WHOLE.replace(old, new, 1))
    assert message in str(error.value)
    assert KEY[:-2] not in str(error.value)


def device(name: str, **fields: Any) -> str:
    rows = "".join(f"{k} = {v}\n" for k, v in fields.items())
    return f'\n[[device]]\nid = "{name}"\n{rows}'


def test_contradictions_between_rows_are_refused() -> None:
    feed = device("feedaa", tank='"north-1"', unsigned="true")
    with pytest.raises(RegistryError, match="north-1 has k7f3q5, which signs"):
        read(WHOLE + feed)
    twin = device("twinaa", tank='"north-1"', key=f'"{KEY}"')
    with pytest.raises(RegistryError, match="k7f3q5 has the same key"):
        read(WHOLE + twin)
    eye = device("eyeaaa", tank='"cans"', key=f'"{KEY[::-1]}"', sensor='"a02yyuw"')
    with pytest.raises(RegistryError, match="a station is weighed; use hx711"):
        read(WHOLE + eye)
    scale = device("scalea", tank='"cans"', key=f'"{KEY[::-1]}"')
    with pytest.raises(RegistryError, match="tare_g is missing: weigh the empty station"):
        read(WHOLE.replace("tare_g = 12000\n", "") + scale)
    bare = WHOLE.replace("sensor_height_mm = 1100\ntaps", "taps")
    with pytest.raises(RegistryError, match="sensor_height_mm is missing: measure from"):
        read(bare.replace("09:00:00Z\nsensor_height_mm = 1100", "09:00:00Z"))
    read(bare)  # the install has the height


def test_a_stations_device_is_a_scale_by_default() -> None:
    scale = device("scalea", tank='"cans"', key=f'"{KEY[::-1]}"')
    found = read(WHOLE + scale).device("scalea")
    assert found is not None
    assert found.sensor == "hx711"


def test_a_partial_file_may_refer_to_known_rows_and_a_known_device_keeps_its_key() -> None:
    known = read(WHOLE)
    moved = device("k7f3q5", tank='"north-1"', uplink='"other-router"')
    found = read(moved, known).device("k7f3q5")
    assert found == Device("k7f3q5", "north-1", key=bytes(range(32)), uplink="other-router")
    with pytest.raises(RegistryError, match="tank = 'north-9': no tank"):
        read(moved.replace("north-1", "north-9"), known)


def test_a_known_device_keeps_the_public_key_of_its_board() -> None:
    node = Device("k7f3q5", "north-1", key=bytes(range(32)), public_key=bytes(32))
    known = replace(read(WHOLE), devices={node.id: (node,)})
    again = read(WHOLE, known).device(node.id)  # the file that enrolled it, imported once more
    assert again is not None and again.public_key == bytes(32)
    other = read(device("k7f3q5", tank='"north-1"', public_key=f'"{"11" * 32}"'), known).device(
        node.id
    )
    assert other is not None and other.public_key == bytes.fromhex("11" * 32)


def test_an_export_without_keys_contains_none() -> None:
    text = toml.write(read(WHOLE), with_keys=False)
    assert KEY not in text
    assert "--with-keys" in text
    assert KEY in toml.write(read(WHOLE), with_keys=True)


names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,9}", fullmatch=True)
devices = st.from_regex(r"[a-z2-7]{6,8}", fullmatch=True)
moments = st.integers(1_700_000_000, 1_900_000_000).map(float)
texts = st.text(st.characters(categories=("L", "N")), max_size=20)


@st.composite
def registries(draw: st.DrawFn) -> Registry:
    """Registries with history, any order of dates."""
    site_ids = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    tank_ids = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    device_ids = draw(st.lists(devices, max_size=4, unique=True))

    def sinces() -> list[float]:
        later = draw(st.lists(moments, max_size=2, unique=True))
        return [0.0, *sorted(later)]

    def tank(name: str, since: float) -> Tank:
        return Tank(
            name, "", draw(st.sampled_from(site_ids)), since, draw(texts),
            capacity_l=draw(st.floats(100, 5000)), empty_l=draw(st.floats(0, 50)),
            sensor_height_mm=draw(st.integers(1, 5000)), taps=draw(st.integers(1, 9)),
            low_pct=draw(st.floats(51, 90)), critical_pct=draw(st.floats(0, 19)),
        )  # fmt: skip

    def node(place: int, name: str, since: float) -> Device:
        return Device(
            name, draw(st.sampled_from(tank_ids)), since, key=bytes([place] * 32),
            uplink=draw(st.none() | names), revoked=draw(st.booleans()),
            sensor=draw(st.sampled_from(["a02yyuw", "jsn-sr04t", "probe"])),
        )  # fmt: skip

    return Registry(
        sites={n: tuple(Site(n, "", s, draw(texts)) for s in sinces()) for n in site_ids},
        tanks={n: tuple(tank(n, s) for s in sinces()) for n in tank_ids},
        devices={n: tuple(node(i, n, s) for s in sinces()) for i, n in enumerate(device_ids)},
        installs={
            n: tuple(
                Install(n, draw(st.sampled_from(tank_ids)), s, draw(st.integers(1, 5000)))
                for s in sinces()[1:]
            )
            for n in device_ids
        },
        plans={
            n: (Plan(n, start, start + lasts, "cleaning", draw(st.booleans())),)
            for n in tank_ids
            if (lasts := draw(st.integers(1, 9999))) and (start := draw(st.just(0.0) | moments))
        },
    )


@given(registries())
def test_a_written_registry_is_read_back_unchanged(registry: Registry) -> None:
    kept = Registry(
        registry.sites, registry.tanks, registry.devices,
        {n: rows for n, rows in registry.installs.items() if rows}, registry.plans,
    )  # fmt: skip
    assert read(toml.write(kept, with_keys=True)) == kept

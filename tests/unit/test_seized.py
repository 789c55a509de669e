"""Two boards of one group contain no name or place, and nothing that links them."""

from collections.abc import Iterator
from pathlib import Path

from gateway import settings as gateway_settings
from gateway.devices import enrolment
from gateway.domain.registry import Device, Registry, Site, Tank

CA = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
NAMES = ("north-field", "North field", "the blue tank", "north-router", "tank-by-the-road")


def _boards(tmp_path: Path) -> list[dict[str, object]]:
    (tmp_path / "ca.pem").write_text(CA)
    (tmp_path / "noria.toml").write_text(
        f'broker = "mqtts://broker.example"\nbroker_ca = "ca.pem"\nrelease_key = "{"ab" * 32}"\n'
    )
    settings = gateway_settings.read(tmp_path / "noria.toml")
    tank = Tank(
        "tank-by-the-road", "aaaaaaaa", site="north-field", kind="tank", shape="ibc1000",
        capacity_l=1000.0, name="the blue tank", sensor_height_mm=1100,
    )  # fmt: skip
    known = Registry(
        sites={"north-field": (Site("north-field", "bbbbbbbb", name="North field"),)},
        tanks={tank.id: (tank,)},
    )
    made: list[Device] = [
        enrolment.new_device(known, tank.id, uplink="north-router"),
        enrolment.new_device(known, tank.id, uplink="north-router"),
    ]
    return [enrolment.board_configuration(device, settings, {}) for device in made]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def test_two_boards_share_only_the_brokers_name_its_ca_and_the_release_key(
    tmp_path: Path,
) -> None:
    one, other = (set(_texts(board)) for board in _boards(tmp_path))
    assert one & other == {"broker.example", CA, "ab" * 32, "a02yyuw"}  # a kind of sensor


def test_a_board_contains_no_name_of_site_tank_or_uplink(tmp_path: Path) -> None:
    for board in _boards(tmp_path):
        assert not [name for name in NAMES if name in str(board)]

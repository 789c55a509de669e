"""The demo's sites, tanks, devices and virtual boards."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, cast

from gateway.domain.registry import Device, Registry, Sensor, Site, Tank
from gateway.mqtt.broker import login
from gateway.settings import Settings, listen_address

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
IBC_L, CANS_L = 1000.0, 240.0
_SENSORS = ("a02yyuw", "probe", "a02yyuw", "a02yyuw")


@dataclass(frozen=True, slots=True)
class Spot:
    """A tank or station: its level at the start (L) and what people draw by day (L/h)."""

    tank: str
    name: str
    level_l: float
    draw_lph: float
    kind: str = "tank"
    sensor: str = "a02yyuw"
    lte: bool = False

    @property
    def site(self) -> str:
        """The id of the site."""
        return self.tank.split("-")[0]

    @property
    def site_name(self) -> str:
        """The name of the site."""
        return re.sub(r"(\d+)$", r" \1", self.site).capitalize()

    @property
    def uplink(self) -> str:
        """The router that the site's devices share, or the mobile network."""
        return "mobile" if self.lte else f"{self.site}-router"

    @property
    def capacity_l(self) -> float:
        """The capacity, L."""
        return CANS_L if self.kind == "station" else IBC_L


SPOTS = (
    Spot("canal-1", "Canal 1", 345, 75),
    Spot("canal-2", "Canal 2", 640, 35),
    Spot("canal-3", "Canal 3", 800, 30),
    Spot("birches-1", "Birches 1", 560, 40),
    Spot("birches-2", "Birches 2", 700, 30),
    Spot("birches-3", "Birches 3", 710, 35),
    Spot("dunes-1", "Dunes 1", 930, 35),
    Spot("dunes-2", "Dunes 2", 520, 45),
    Spot("dunes-cans", "Dunes cans", 180, 15, kind="station", sensor="hx711"),
    Spot("orchard-1", "Orchard 1", 560, 25),
    Spot("orchard-2", "Orchard 2", 480, 20),
    Spot("orchard-3", "Orchard 3", 880, 30),
)


_SITE = 5
MOST = 500


def spots(count: int = len(SPOTS)) -> list[Spot]:
    """The story's twelve spots, then sites of four tanks and a station, every third on LTE.

    The result depends only on ``count``, which is at most MOST.
    """
    random = Random(count)  # noqa: S311 - how full tanks are, no secret
    found = list(SPOTS)
    while len(found) < count:
        number, place = divmod(len(found) - len(SPOTS), _SITE)
        site, lte = f"field{number + 1}", number % 3 == 2
        if place == _SITE - 1:
            level, draw = random.uniform(120, 230), random.uniform(5, 12)
            spot = Spot(f"{site}-cans", f"Field {number + 1} cans", level, draw, "station",
                        "hx711", lte)  # fmt: skip
        else:
            level, draw = random.uniform(450, 980), random.uniform(5, 25)
            name, tank = f"Field {number + 1} no. {place + 1}", f"{site}-{place + 1}"
            spot = Spot(tank, name, level, draw, "tank", _SENSORS[place % len(_SENSORS)], lte)
        found.append(spot)
    return found[:count] if count >= len(SPOTS) else found


@dataclass(frozen=True, slots=True)
class Node:
    """A spot and its device."""

    spot: Spot
    device: str
    key: bytes = field(repr=False)


def _draw(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def nodes(count: int = len(SPOTS)) -> list[Node]:
    """``count`` spots, each with a new device and key."""
    return [Node(spot, _draw(8), secrets.token_bytes(32)) for spot in spots(count)]


def registry(placed: list[Node]) -> Registry:
    """The registry of the demo; its random ids are drawn when it is stored."""
    return Registry(
        sites={
            i: (Site(id=i, rid="", name=n, people_low=60, people_high=90, people_source="demo"),)
            for i, n in sorted({n.spot.site: n.spot.site_name for n in placed}.items())
        },
        tanks={n.spot.tank: (_tank(n.spot),) for n in placed},
        devices={n.device: (_device(n),) for n in placed},
    )


def _device(node: Node) -> Device:
    return Device(
        id=node.device,
        tank=node.spot.tank,
        key=node.key,
        uplink=node.spot.uplink,
        sensor=cast(Sensor, node.spot.sensor),
    )


def _tank(spot: Spot) -> Tank:
    if spot.kind == "station":
        return Tank(
            id=spot.tank, rid="", site=spot.site, name=spot.name, kind="station",
            shape=None, capacity_l=CANS_L, tare_g=12000, cans=12, can_l=20.0,
        )  # fmt: skip
    return Tank(
        id=spot.tank, rid="", site=spot.site, name=spot.name, capacity_l=IBC_L,
        empty_l=20, sensor_height_mm=1100, taps=4,
    )  # fmt: skip


def fleet(
    placed: list[Node], settings: Settings, *, interpreter: str, levels: Mapping[str, float]
) -> dict[str, Any]:
    """The fleet file of ``firmware.virtual.host.run``, with a board for each node.

    ``levels``: litres by device, where they are not the spot's.
    """
    host, port = listen_address("broker_listen", settings.broker_listen)
    return {
        "speed": settings.clock_speed,
        "origin": settings.clock_origin,
        "interpreter": interpreter,
        **_load_options(len(placed), settings.clock_speed),
        "boards": [
            {
                "device": n.device,
                "key": n.key.hex(),
                "config": _config(n, host, port, interval_s(len(placed))),
                "model": {**_model(n.spot), "level_l": levels.get(n.device, n.spot.level_l)},
            }
            for n in placed
        ],
    }


def interval_s(count: int) -> int:
    """Seconds between readings: short for the story, as in the field for many nodes."""
    return 300 if count <= len(SPOTS) else 600


def _load_options(count: int, speed: float) -> dict[str, Any]:
    """Options with which many boards start and run without waiting for the processor."""
    if count <= len(SPOTS):
        return {"compiled": True}
    return {"compiled": True, "heap": "640K", "start_within_s": interval_s(count) / speed}


def _model(spot: Spot) -> dict[str, Any]:
    return {
        "kind": "station" if spot.kind == "station" else "ibc",
        "level_l": spot.level_l,
        "draw_lph": spot.draw_lph,
        "uplink": spot.uplink,
        "sensor_height_mm": 1100,
    }


def _config(node: Node, host: str, port: int, interval: int) -> dict[str, Any]:
    return {
        "device": node.device,
        "key": node.key.hex(),
        "wifi": [{"ssid": node.spot.uplink, "password": "of the demo"}],
        "broker": {
            "host": host,
            "port": port,
            "login": node.device,
            "password": login(node.key),
        },
        "sensor": node.spot.sensor,
        **({"board": "t_sim7080g", "lte": {"apn": "demo"}} if node.spot.lte else {}),
        "interval_s": interval,
        "report_s": 2 * interval,
    }

"""The demo's place: its sites, tanks, devices and the virtual boards behind them."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from gateway.broker import login
from gateway.domain.registry import Device, Registry, Site, Tank
from gateway.settings import Settings, listen_address

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
IBC_L, CANS_L = 1000.0, 240.0
SITES = {"canal": "Canal", "birches": "Birches", "dunes": "Dunes", "orchard": "Orchard"}


@dataclass(frozen=True, slots=True)
class Spot:
    """One tank or station: how full it begins, and how fast people draw by day (L/h)."""

    tank: str
    name: str
    level_l: float
    draw_lph: float
    kind: str = "tank"

    @property
    def site(self) -> str:
        """The site's id."""
        return self.tank.split("-")[0]

    @property
    def uplink(self) -> str:
        """The router that the site's devices share."""
        return f"{self.site}-router"


SPOTS = (
    Spot("canal-1", "Canal 1", 345, 75),
    Spot("canal-2", "Canal 2", 640, 35),
    Spot("canal-3", "Canal 3", 800, 30),
    Spot("birches-1", "Birches 1", 560, 40),
    Spot("birches-2", "Birches 2", 700, 30),
    Spot("birches-3", "Birches 3", 710, 35),
    Spot("dunes-1", "Dunes 1", 930, 35),
    Spot("dunes-2", "Dunes 2", 520, 45),
    Spot("dunes-cans", "Dunes cans", 180, 15, kind="station"),
    Spot("orchard-1", "Orchard 1", 560, 25),
    Spot("orchard-2", "Orchard 2", 480, 20),
    Spot("orchard-3", "Orchard 3", 880, 30),
)


@dataclass(frozen=True, slots=True)
class Node:
    """A spot with the device that watches it."""

    spot: Spot
    device: str
    key: bytes = field(repr=False)


def name_of(tank: str) -> str:
    """A tank's name."""
    return next(s.name for s in SPOTS if s.tank == tank)


def capacity_l(tank: str) -> float:
    """Litres that a tank or station holds."""
    return next(CANS_L if s.kind == "station" else IBC_L for s in SPOTS if s.tank == tank)


def _draw(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def nodes() -> list[Node]:
    """Every spot with a fresh device and key."""
    return [Node(spot, _draw(8), secrets.token_bytes(32)) for spot in SPOTS]


def registry(placed: list[Node]) -> Registry:
    """The registry of the demo; random ids are drawn when it is put in the database."""
    return Registry(
        sites={
            i: (Site(id=i, rid="", name=n, people_low=60, people_high=90, people_source="demo"),)
            for i, n in SITES.items()
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
        sensor="hx711" if node.spot.kind == "station" else "a02yyuw",
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


def fleet(placed: list[Node], settings: Settings, *, interpreter: str) -> dict[str, Any]:
    """The fleet file that ``firmware.virtual.host.run`` reads: one board a node."""
    host, port = listen_address("broker_listen", settings.broker_listen)
    return {
        "speed": settings.clock_speed,
        "origin": settings.clock_origin,
        "interpreter": interpreter,
        "boards": [
            {
                "device": n.device,
                "key": n.key.hex(),
                "config": _config(n, host, port),
                "model": _model(n.spot),
            }
            for n in placed
        ],
    }


def _model(spot: Spot) -> dict[str, Any]:
    return {
        "kind": "station" if spot.kind == "station" else "ibc",
        "level_l": spot.level_l,
        "draw_lph": spot.draw_lph,
        "uplink": spot.uplink,
        "sensor_height_mm": 1100,
    }


def _config(node: Node, host: str, port: int) -> dict[str, Any]:
    return {
        "device": node.device,
        "key": node.key.hex(),
        "wifi": [{"ssid": node.spot.uplink, "password": "demo"}],
        "broker": {
            "host": host,
            "port": port,
            "login": node.device,
            "password": login(node.key),
        },
        "sensor": "hx711" if node.spot.kind == "station" else "a02yyuw",
        "interval_s": 300,
        "report_s": 600,
    }

"""Scenes for pages: a real afternoon, written into the databases as the gateway does.

``python -m tests.browser.scenes FOLDER`` makes one to look at.
"""

import math
import random
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import sqlalchemy as sa

from gateway import settings as settings_module
from gateway.alerts import claims
from gateway.database import heartbeat
from gateway.database.engine import open_database
from gateway.database.tables import tank_now
from gateway.domain.inputs import Reading
from gateway.domain.outputs import Because, IncidentChange, Span, TankEvent, TankNow
from gateway.domain.registry import Device, Plan, Registry, Site, Tank
from gateway.projections.watch.rows import OutputContext, write_output
from gateway.registry import rows
from gateway.settings import Settings
from gateway.stores.sqlite import SqliteStore
from server.accounts import people
from server.views import snapshot
from tests.browser import accounts
from tests.parts import database as either

HOUR = 3600.0
BOOK = OutputContext(channels=(), rids={})


@dataclass(frozen=True)
class Scene:
    """A folder with databases; ``now`` is the moment that they show (Unix s)."""

    settings: Settings
    engine: sa.Engine
    now: float

    def put(self, value: TankNow) -> None:
        """Change one tank, as the watch does."""
        with self.engine.begin() as connection:
            connection.execute(sa.update(tank_now).where(sa.false()).values(version=0))
            write_output(connection, [], [asdict(value)], BOOK)

    def known(self, tank: str) -> TankNow:
        """What pages know of a tank now."""
        view = snapshot.take(self.engine, rows.load(self.engine), self.now, self.now).tank(tank)
        assert view is not None
        return view.now

    def write(self, *outputs: TankEvent | IncidentChange) -> None:
        """Write events and incident changes, as the watch does."""
        with self.engine.begin() as connection:
            connection.execute(sa.update(tank_now).where(sa.false()).values(version=0))
            write_output(connection, outputs, [], BOOK)

    def beat(self) -> None:
        """Renew the gateway's heartbeat."""
        heartbeat.renew(self.engine, "g1", connected=True, broker="mosquitto")


def make(folder: Path, *, empty: bool = False, live: bool = True, extra: str = "") -> Scene:
    """A scene in a new folder; ``empty``: no tanks yet; ``live``: its gateway has a heartbeat."""
    config = folder / "noria.toml"
    port = 'server_listen = "127.0.0.1:0"\n' if "server_listen" not in extra else ""
    config.write_text(f'data = "data"\n{port}{extra}{either.lines(folder / "data")}')
    settings = settings_module.read(config)
    settings.data.mkdir()
    engine = open_database(settings)
    scene = Scene(settings, engine, time.time())
    accounts.add_all(engine, scene.now)
    if live:
        scene.beat()
    if not empty:
        _fill(scene)
    return scene


def _fill(scene: Scene) -> None:
    registry = _registry(scene.now)
    with scene.engine.begin() as connection:
        rows.put(connection, registry, scene.now)
    for known in _tanks(scene.now):
        scene.put(known)
    _incidents(scene)
    _past(scene)
    store = SqliteStore(scene.settings.store_path)
    store.write(list(_readings("birches-1", scene.now, 480.0)))
    store.close()


def _registry(now: float) -> Registry:
    places = {"canal": "Canal", "birches": "Birches", "dunes": "Dunes", "orchard": "Orchard"}
    sites = {key: (Site(key, "", name=name),) for key, name in places.items()}
    tanks = {
        f"{key}-{n}": (
            Tank(
                f"{key}-{n}", "", key, name=f"{name} {n}", sensor_height_mm=1100, empty_l=20.0,
                taps=4,
            ),
        )
        for key, name in places.items()
        for n in (1, 2, 3)
    }  # fmt: skip
    tanks["dunes-3"] = (
        Tank(
            "dunes-3", "", "dunes", name="Dunes cans", kind="station", shape=None,
            capacity_l=240.0, tare_g=9000, cans=12, can_l=20.0,
        ),
    )  # fmt: skip
    letters = "abcdefghijkl"
    devices = {
        f"k7f3q{letters[i]}": (
            Device(
                f"k7f3q{letters[i]}", tank, key=bytes(32), uplink=f"{tank.split('-')[0]}-router"
            ),
        )
        for i, tank in enumerate(tanks)
    }
    plans = {
        "dunes-1": (Plan("dunes-1", now + 18 * HOUR, now + 20 * HOUR, "move"),),
        "birches-1": (Plan("birches-1", now + 40 * HOUR, now + 46 * HOUR, "eviction_risk"),),
    }
    return Registry(sites, tanks, devices, plans=plans)


def _now(tank: str, litres: float, age_s: float, now: float, **more: object) -> TankNow:
    at = now - age_s
    capacity = 240.0 if tank == "dunes-3" else 1000.0
    known = TankNow(
        tank=tank, state="ok", state_since=now - 5 * HOUR, at=at, received=at + 2, volume_l=litres,
        sd_l=11.0, pct=100 * litres / capacity, due=at + 900, battery_mv=3980, rssi_dbm=-71,
        auth="mac",
    )  # fmt: skip
    return replace(known, **more)  # pyright: ignore[reportArgumentType] - fields of TankNow


def _span(now: float, lo_h: float, hi_h: float) -> Span:
    return Span(now + (lo_h + hi_h) / 2 * HOUR, now + lo_h * HOUR, now + hi_h * HOUR)


def _tanks(now: float) -> list[TankNow]:
    gone = {"presence": "silent", "presence_since": now - 1.4 * HOUR, "state": "unknown"}
    return [
        _now("canal-1", 90, 360, now, state="critical", trend_lph=-130.0,
             empty_at=_span(now, 0.4, 1.1)),
        _now("canal-2", 640, 240, now, trend_lph=-35.0, low_at=_span(now, 16.6, 19.4)),
        _now("canal-3", 800, 660, now, trend_lph=-20.0, low_at=_span(now, 24, 29)),
        _now("birches-1", 480, 240, now, trend_lph=-40.0, low_at=_span(now, 2.7, 5.3),
             empty_at=_span(now, 16.5, 20)),
        _now("birches-2", 640, 2520, now, state="unknown", presence="silent",
             presence_since=now - 1800),
        _now("birches-3", 710, 660, now, trend_lph=-1.0, low_at=_span(now, 21, 26),
             battery_mv=3420),
        _now("dunes-1", 930, 480, now, trend_lph=-2.0, low_at=_span(now, 42, 47),
             last_refill_at=now - 4.2 * HOUR, last_refill_l=760.0),
        _now("dunes-2", 240, 540, now, state="low", trend_lph=-60.0,
             empty_at=_span(now, 2.5, 5.2)),
        _now("dunes-3", 140, 120, now, trend_lph=-15.0, low_at=_span(now, 4.6, 7.4)),
        _now("orchard-1", 560, 5460, now, **gone),
        _now("orchard-2", 310, 5340, now, **gone),
        _now("orchard-3", 880, 5880, now, **gone),
    ]  # fmt: skip


VERDICTS = (
    "seized", "drained", "slashed", "lid_open", "moved_by_us", "battery", "network_out",
    "sensor_fault", "clone", "unknown",
)  # fmt: skip


def causes(**given: float) -> dict[str, float]:
    """Probabilities of all verdicts; the default is 0."""
    return {verdict: given.get(verdict, 0.0) for verdict in VERDICTS}


def change(now: float, name: str, kind: str, at: float, **more: object) -> IncidentChange:
    """One change of an incident, opened unless ``more`` has another."""
    base = IncidentChange(
        id=name, change="opened", change_number=1, at=at, received=at + 30, tank=None,
        uplink=None, kind=kind, probability=0.98, causes=causes(unknown=1.0), because=(),  # pyright: ignore[reportArgumentType]
        auth="mac", alert=True,
    )  # fmt: skip
    return replace(base, **more)  # pyright: ignore[reportArgumentType] - fields of IncidentChange


def _incidents(scene: Scene) -> None:
    now = scene.now
    level = Because(
        "level", 3.1, "measured", {"volume_l": 90.0, "sd_l": 11.0, "threshold_l": 150.0}
    )
    scene.write(
        change(
            now, "canalcrit2", "critical", now - 1500, tank="canal-1", because=(level,),
            figures={"volume_l": 90.0, "pct": 9.0},
        ),
        change(
            now, "duneslow22", "low", now - 3000, tank="dunes-2", because=(level,),
            figures={"volume_l": 240.0, "pct": 24.0},
        ),
        change(
            now, "orchardnet", "network_out", now - 5200, uplink="orchard-router",
            because=(Because("silent_together", 4.0, "measured", {"devices": 3}),),
            causes=causes(network_out=0.94, unknown=0.06),
            figures={"devices": 3, "tanks": 3},
        ),
        change(
            now, "battbirch3", "battery", now - 9000, tank="birches-3",
            causes=causes(battery=1.0), figures={"battery_mv": 3420},
        ),
        _seized(now),
    )  # fmt: skip
    van = people.find(scene.engine, "van-2")
    with scene.engine.begin() as connection:
        claims.claim(connection, "duneslow22", van.id, now - 400, now + 2580)


def _seized(now: float) -> IncidentChange:
    at = now - 2040
    because = (
        Because("motion", 1.2, "measured", {"duration_s": 41.0, "peak_mg": 900}),
        Because("tilt", 1.9, "measured", {"tilt_deg": 64}),
        Because("silence_after_handling", 2.2, "measured",
                {"last_word_at": at + 190, "promised_s": 30}),
        Because("battery_good", 0.6, "measured", {"battery_mv": 3980}),
        Because("neighbours_speaking", 0.9, "measured", {"devices": 2}),
        Because("level_steady", -0.3, "measured"),
        Because("no_move_planned", 0.7, "inferred"),
    )  # fmt: skip
    return change(
        now, "birchtaken", "seized", at, tank="birches-2", probability=0.71, because=because,
        causes=causes(
            seized=0.71, moved_by_us=0.1, drained=0.06, sensor_fault=0.04, unknown=0.09
        ),
        figures={"volume_l": 640.0, "volume_at": now - 2520, "motion_s": 41.0, "tilt_deg": 64,
                 "silent_since": at + 190},
    )  # fmt: skip


def _past(scene: Scene) -> None:
    now = scene.now
    past = change(
        now, "birchlow11", "low", now - 19.4 * HOUR, tank="birches-1", figures={"volume_l": 300.0}
    )
    scene.write(
        past,
        replace(
            past, change="closed", change_number=2, received=now - 17.6 * HOUR,
            figures={"closed_why": "refilled", "volume_l": 930.0},
        ),
        TankEvent(now - 17.8 * HOUR, now - 17.6 * HOUR, "birches-1", "refill", 700.0),
        TankEvent(now - 11.6 * HOUR, now - 8.9 * HOUR, "birches-1", "silent"),
        TankEvent(now - 8.9 * HOUR, now - 8.9 * HOUR, "birches-1", "back"),
        TankEvent(now - 3.5 * HOUR, now - 600, "birches-1", "draw", 210.0),
    )  # fmt: skip


def _readings(tank: str, now: float, litres: float) -> list[Reading]:
    """Eight days of draws by day and a refill each evening, with one gap; ends at ``litres``."""
    noise = random.Random(7)
    readings: list[Reading] = []
    at, level = now - 240, litres
    for i in range(1100):
        hour = (at / HOUR + 1) % 24
        level += 70 * max(math.sin((hour - 6) / 15 * math.pi), 0.02) / 6
        if (now - 17.7 * HOUR - at) % 86400 < 600 and at < now - 17 * HOUR:
            level -= 690
        level = min(max(level, 230.0), 965.0)
        in_gap = now - 11.6 * HOUR < at < now - 8.9 * HOUR
        if not in_gap:
            readings.append(_reading(tank, at, level + noise.gauss(0, 2), 2000 - i))
        at -= 600
    return readings


def _reading(tank: str, at: float, litres: float, seq: int) -> Reading:
    return Reading(
        tank=tank, device="k7f3qd", era="m4xq2lzt", boot=3, seq=seq, i=0, channel=0, at=at,
        received=at + 2, estimated=False, quantity="mm", value=round(1100 - litres / 1.07),
        spread=4, valid=7, tried=7, temperature_dc=110, volume_l=litres, sd_l=11.0,
    )  # fmt: skip


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    made = make(target, extra='server_listen = "127.0.0.1:8765"\n')
    print(asdict(made.settings)["source"])

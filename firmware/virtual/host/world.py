"""The surroundings of one board: water, people, tampering, battery, radio and weather."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

from firmware.virtual.host.energy import USABLE_MAH
from firmware.virtual.host.people import People
from firmware.virtual.host.shaking import KNOCK_S, Shaking, Vector
from firmware.virtual.host.shaking import Kind as Shake
from firmware.virtual.host.vessel import IBC_LITRES_PER_MM, Flow, Hole, Vessel

Kind = Literal["ibc", "station"]
SeizureMode = Literal["smashed", "carried"]

_FULL_MV, _FLAT_MV = 4150.0, 3250.0
_SUN_MAH_PER_S = 100.0 / 86400.0  # a 1 W panel in a Calais December: 85-154 a day
_MOVING_S = 240.0
_TILTED_DEG = 62.0
_CREEP_S = 2 * 3600.0
_PARTS = ("sensor", "accelerometer", "wire")
_NEVER = math.inf


@dataclass(frozen=True, slots=True)
class Model:
    """Initial values and parameters of a world; ``fleet.json``, ``model``."""

    kind: Kind = "ibc"
    level_l: float = 700.0
    capacity_l: float = 1000.0
    draw_lph: float = 12.0
    uplink: str = ""
    sensor_height_mm: float = 1100.0
    litres_per_mm: float = IBC_LITRES_PER_MM
    tare_g: float = 12000.0
    charge: float = 0.9
    solar: bool = True
    rssi: int = -67
    drift_ppm: float = 0.0
    noise_mm: float = 3.0
    spike_share: float = 0.02
    attach_s: float = 25.0  # LTE-M from switching on to registered
    first_fix_s: float = 20.0
    lat_e5: int = 4000000  # open sea: no real tank
    lon_e5: int = -3000000
    wetness: float = 0.0  # share of pings that drops on the sensor's face answer
    air_c: float = 8.0  # mean of the day
    mount_deg: float = 0.0  # how far off level the accelerometer is mounted
    chip_zero_c: int = 21  # its temperature's own zero
    scale_drift_g: float = 0.0  # a degC, from 20
    pin_us: int = 5  # what reading or driving a pin takes; an HX711's clock may be high for 60


class World:
    """One tank or station. Every method takes effect at the clock's time now.

    ``on_change`` is called when pins or power may have changed.
    """

    def __init__(self, model: Model, clock: Callable[[], float], seed: str) -> None:
        self.model = model
        self.uplink = model.uplink
        self.on_change: Callable[[], None] = lambda: None
        self.random = Random(seed)  # noqa: S311 - weather and people, not secrets
        self._clock = clock
        now = clock()
        self._vessel = Vessel(model.capacity_l, model.level_l, now, model.litres_per_mm)
        self._people = People(model.draw_lph, Random(seed + "/people"))  # noqa: S311
        self._shaking = Shaking(Random(seed + "/shaking"))  # noqa: S311
        self._tilted_from = self._tilted_until = -_NEVER
        self._rested_g, self._rested_at = -1.0, now
        self.wetness = model.wetness
        self.lid_open = False
        self.levels_set = 0
        self.unplugged: set[str] = set()
        self._radio_gone_from = self._power_gone_from = _NEVER
        self._charge, self._charge_at = model.charge, now

    # What people do.

    def refill(self, litres: float, duration_s: float = 600.0) -> None:
        """A van pumps ``litres`` in, or volunteers bring full cans."""
        now = self._advance()
        self._vessel.flows.append(Flow(now, now + duration_s, litres / duration_s))

    def set_draw(self, litres_per_h: float) -> None:
        """Set how much people draw, as a mean over the day."""
        self._people.change(litres_per_h, self._advance())

    def set_level(self, litres: float) -> None:
        """Set the volume at once; ``levels_set`` counts how often that happened."""
        self._advance()
        self.levels_set += 1
        self._vessel.level_l = min(litres, self.model.capacity_l)

    def draw(self, litres: float, duration_s: float = 300.0) -> None:
        """A steady draw besides those of people."""
        self.refill(-litres, duration_s)

    def drain(self, diameter_mm: float = 50.0) -> None:
        """Somebody opens the valve and walks away."""
        self._advance()
        self._vessel.holes.append(Hole(0.0, diameter_mm))
        self.knock()

    def slash(self, height_mm: float = 300.0, diameter_mm: float = 60.0) -> None:
        """A knife: water runs out down to the cut."""
        self._advance()
        self._vessel.holes.append(Hole(height_mm, diameter_mm))
        self.knock()

    def repair(self) -> None:
        """Every hole is closed."""
        self._advance()
        self._vessel.holes.clear()

    def knock(self) -> None:
        """One bump: a can set down hard, a football."""
        self._shake("knock", KNOCK_S)

    def drum(self, duration_s: float = 20.0) -> None:
        """Fists on the tank, twice a second."""
        now = self._clock()
        for beat in range(int(duration_s * 2)):
            self._shaking.add("knock", now + beat / 2.0, KNOCK_S)
        self.on_change()

    def lean(self, duration_s: float = 60.0) -> None:
        """Somebody leans on it, waiting for a can to fill."""
        self._shake("lean", duration_s)

    def wind(self, duration_s: float = 3600.0) -> None:
        """A gusty hour."""
        self._shake("wind", duration_s)

    def carry(self, duration_s: float = 60.0) -> None:
        """People lift it and carry it upright."""
        self._shake("carry", duration_s)

    def wet_face(self, share: float = 0.5) -> None:
        """Condensation: drops echo this share of pings; 0 dries the sensor."""
        self.wetness = share

    def open_lid(self) -> None:
        """Somebody takes the lid off."""
        self.lid_open = True
        self.on_change()

    def close_lid(self) -> None:
        """Somebody puts the lid on again."""
        self.lid_open = False
        self.on_change()

    def unplug(self, part: str) -> None:
        """A part no longer answers: ``sensor``, ``accelerometer``, or a probe's ``wire``."""
        if part not in _PARTS:
            raise ValueError(f"part {part!r}: one of {', '.join(_PARTS)}")
        self.unplugged.add(part)

    def plug(self, part: str) -> None:
        """It is connected again."""
        self.unplugged.discard(part)

    def seize(self, mode: SeizureMode = "smashed", after_s: float = 150.0) -> None:
        """The tank is tipped and taken; after ``after_s`` the board is smashed or out of range."""
        now = self._advance()
        self._vessel.holes.append(Hole(0.0, 120.0))
        self._tilted_from, self._tilted_until = now + 4.0, _NEVER
        if mode == "smashed":
            self._power_gone_from = now + after_s
        else:
            self._radio_gone_from = now + after_s
        self._shake("carry", _MOVING_S)

    def put_back(self) -> None:
        """The tank is upright again, empty and without holes, the board running."""
        self._advance()
        self._vessel.holes.clear()
        self._tilted_until = self._moving_until = self._clock()
        self._radio_gone_from = self._power_gone_from = _NEVER
        self.on_change()

    def set_battery(self, millivolts: float) -> None:
        """A flat or a fresh cell."""
        self._charge = (millivolts - _FLAT_MV) / (_FULL_MV - _FLAT_MV)
        self._charge_at = self._clock()
        self.on_change()

    def spend(self, charge_mah: float) -> None:
        """Subtract the board's charge from the cell."""
        self._charge -= charge_mah / USABLE_MAH

    # Values that the board can measure.

    @property
    def now(self) -> float:
        """Unix time in this world."""
        return self._clock()

    @property
    def volume_l(self) -> float:
        """Litres in the vessel now."""
        self._advance()
        return self._vessel.level_l

    @property
    def level_mm(self) -> float:
        """Height of the water now."""
        self._advance()
        return self._vessel.level_mm

    @property
    def moving(self) -> bool:
        """Whether the board is being shaken."""
        return self._shaking.wakes(self._clock())

    def shaking_mg(self, at: float) -> Vector:
        """Acceleration besides gravity at a moment of the last seconds."""
        filling = any(flow.start <= at < flow.end for flow in self._vessel.flows if flow.fills)
        return self._shaking.mg(at, filling)

    @property
    def air_c(self) -> float:
        """Temperature under the lid: warmest at three in the afternoon."""
        return self.model.air_c + 4.0 * math.cos(
            math.tau * (self._clock() % 86400.0 / 86400.0 - 0.6)
        )

    def rested_load_g(self, load_g: float) -> float:
        """The load that the cells follow with a lag of two hours."""
        now = self._clock()
        if self._rested_g < 0.0:
            self._rested_g = load_g
        settled = 1.0 - math.exp(-(now - self._rested_at) / _CREEP_S)
        self._rested_g += (load_g - self._rested_g) * settled
        self._rested_at = now
        return self._rested_g

    @property
    def tilt_deg(self) -> float:
        """Angle from upright."""
        now = self._clock()
        if self._tilted_from <= now < self._tilted_until:
            return _TILTED_DEG
        return self._shaking.lean_deg(now)

    @property
    def powered(self) -> bool:
        """Whether the cell is connected and has enough charge to run."""
        return self._clock() < self._power_gone_from and self.battery_mv > _FLAT_MV

    @property
    def in_range(self) -> bool:
        """Whether the access point is in range."""
        return self._clock() < self._radio_gone_from

    @property
    def position_e5(self) -> tuple[int, int]:
        """Latitude and longitude in 1e-5 degree, with an error of a few metres."""
        gauss = self.random.gauss
        return round(self.model.lat_e5 + gauss(0, 2)), round(self.model.lon_e5 + gauss(0, 2))

    @property
    def next_change(self) -> float | None:
        """Unix time of the next planned change of a pin or of the power, or None."""
        now = self._clock()
        planned = (self._tilted_from, self._power_gone_from)
        return min((at for at in planned if now < at < _NEVER), default=None)

    @property
    def battery_mv(self) -> int:
        """Millivolts of the cell, charged by a panel in a Calais December."""
        now = self._clock()
        passed_s, self._charge_at = now - self._charge_at, now
        self._charge += passed_s * (_SUN_MAH_PER_S if self.model.solar else 0.0) / USABLE_MAH
        self._charge = min(max(self._charge, -0.05), 1.0)
        return round(_FLAT_MV + self._charge * (_FULL_MV - _FLAT_MV))

    @property
    def rssi_dbm(self) -> int:
        """Signal of the access point."""
        return round(self.model.rssi + self.random.gauss(0.0, 2.0))

    def _shake(self, kind: Shake, duration_s: float) -> None:
        self._shaking.add(kind, self._clock(), duration_s)
        self.on_change()

    def _advance(self) -> float:
        """Bring water and people up to now."""
        now = self._clock()
        if now > self._vessel.at:
            self._vessel.flows += self._people.draws(self._vessel.at, now)
            self._vessel.advance(now)
        return now

"""What the parts on the board put on their wires, from the state of the world."""

import math

from firmware.virtual.host.world import World

_BLIND_MM, _FARTHEST_MM = 30, 4500
_LITRE_G = 1000.0
_INT24_MAX = 0x7FFFFF


def echo_mm(world: World) -> int | None:
    """Distance that one ultrasonic sample gives: noise, now and then a spike, None for no echo."""
    model, random = world.model, world.random
    if world.tilt_deg > 20.0:  # the beam leaves the water
        return None if random.random() < 0.6 else random.randint(200, 2500)
    if random.random() < model.spike_share:
        return random.choice((None, random.randint(_BLIND_MM, 1500)))
    distance = model.sensor_height_mm - world.level_mm + random.gauss(0.0, model.noise_mm)
    return max(_BLIND_MM, min(round(distance), _FARTHEST_MM))


def a02yyuw_frame(distance_mm: int | None) -> bytes:
    """FF H L SUM, SUM the low byte of the three before it; no echo is sent as 0 mm."""
    high, low = divmod(distance_mm or 0, 256)
    return bytes((0xFF, high, low, (0xFF + high + low) & 0xFF))


def hx711_counts(world: World, zero: int, counts_per_kg: float) -> int:
    """Two's complement 24-bit reading of the scale, with noise and the day's temperature drift."""
    grams = world.model.tare_g + world.volume_l * _LITRE_G + world.random.gauss(0.0, 40.0)
    if world.tilt_deg > 20.0:
        grams = world.random.uniform(0.0, 20000.0)
    counts = round(zero + grams / 1000.0 * counts_per_kg)
    return max(-_INT24_MAX - 1, min(counts, _INT24_MAX)) & 0xFFFFFF


def acceleration_mg(world: World) -> tuple[int, int, int]:
    """Gravity turned by the tilt, in milli-g, shaken while hands are on the tank."""
    tilt = math.radians(world.tilt_deg)
    shake = 350.0 if world.moving else 4.0
    gauss = world.random.gauss
    return (
        round(1000.0 * math.sin(tilt) + gauss(0.0, shake)),
        round(gauss(0.0, shake)),
        round(1000.0 * math.cos(tilt) + gauss(0.0, shake)),
    )


class LIS3DH:
    """The accelerometer's registers (datasheet DocID17530): identity, configuration, output."""

    ADDRESS = 0x18
    _WHO_AM_I, _IDENTITY = 0x0F, 0x33
    _STATUS, _OUT_X_L = 0x27, 0x28
    _INT1_SRC, _INT2_SRC = 0x31, 0x35
    _ACTIVE = 0x40
    _AUTO_INCREMENT = 0x80

    def __init__(self, world: World) -> None:
        self._world = world
        self._held = bytearray(0x80)
        self._held[self._WHO_AM_I] = self._IDENTITY
        self._held[self._STATUS] = 0x0F  # new data on every axis

    def read(self, register: int, count: int) -> bytes:
        """``count`` bytes from a register on; more than one need the auto-increment bit."""
        first = register & 0x7F
        self._sample()
        if not register & self._AUTO_INCREMENT:
            return bytes([self._held[first]]) * count
        return bytes(self._held[first : first + count])

    def write(self, register: int, data: bytes) -> None:
        """Write bytes from a register on."""
        first = register & 0x7F
        self._held[first : first + len(data)] = data

    def _sample(self) -> None:
        for axis, milli_g in enumerate(acceleration_mg(self._world)):
            # +-2 g, left-justified: 1 mg is 16 counts in every resolution mode.
            counts = max(-32768, min(milli_g * 16, 32767)) & 0xFFF0
            at = self._OUT_X_L + 2 * axis
            self._held[at : at + 2] = counts.to_bytes(2, "little")
        self._held[self._INT1_SRC] = self._ACTIVE if self._world.moving else 0
        self._held[self._INT2_SRC] = self._ACTIVE if self._world.tilt_deg > 20.0 else 0

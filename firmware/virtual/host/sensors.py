"""Outputs of the level sensors, from the state of the world."""

from firmware.virtual.host.world import World

_BLIND_MM, _FARTHEST_MM = 30, 4500
_JSN_BLIND_MM, _JSN_FARTHEST_MM = 200, 6000
_LITRE_G = 1000.0
_INT24_MAX = 0x7FFFFF
_DROP_MM = (32, 60)
_PA_PER_MM = 9.80665
_CREEP = 0.001  # of a load, over hours


def echo_mm(world: World) -> int | None:
    """Distance of one ultrasonic sample with noise and sometimes a spike; None for no echo."""
    model, random = world.model, world.random
    if world.tilt_deg > 20.0:  # the beam leaves the water
        return None if random.random() < 0.6 else random.randint(200, 2500)
    if random.random() < model.spike_share:
        return random.choice((None, random.randint(_BLIND_MM, 1500)))
    if random.random() < world.wetness:  # drops on the face echo before the water does
        return random.choice((None, random.randint(*_DROP_MM)))
    return max(_BLIND_MM, min(round(_to_water_mm(world)), _FARTHEST_MM))


def jsn_mm(world: World) -> int | None:
    """The same for a JSN-SR04T: nearer than 200 mm it receives a later bounce, or only noise."""
    random = world.random
    distance = _to_water_mm(world)
    if world.tilt_deg > 20.0 or random.random() < world.model.spike_share:
        return random.choice((None, random.randint(_JSN_BLIND_MM, 2500)))
    if distance < _JSN_BLIND_MM:
        bounces = -(-_JSN_BLIND_MM // max(distance, 20.0))
        distance = random.choice((bounces * distance, (bounces + 1) * distance, 4800.0, 5900.0))
    return min(round(distance), _JSN_FARTHEST_MM)


def _to_water_mm(world: World) -> float:
    model = world.model
    return model.sensor_height_mm - world.level_mm + world.random.gauss(0.0, model.noise_mm)


def pressure_pa(world: World) -> float:
    """Gauge pressure of the water on a probe on the floor."""
    return world.level_mm * _PA_PER_MM + world.random.gauss(0.0, 8.0)


def ads1115_counts(world: World, full_pa: float, shunt_ohm: float) -> int:
    """Counts at +-4.096 V of a 4-20 mA loop over ``shunt_ohm``; a cut wire carries nothing."""
    microamps = 0.0 if "wire" in world.unplugged else 4000 + 16000 * pressure_pa(world) / full_pa
    return max(-32768, min(round(microamps * shunt_ohm / 125.0), 32767))


def a02yyuw_frame(distance_mm: int | None, start: int = 0xFF) -> bytes:
    """FF H L SUM, SUM the low byte of the three before it; no echo is sent as 0 mm. ``start`` is
    what the sum counts for FF: 0 on some AJ-SR04M."""
    high, low = divmod(distance_mm or 0, 256)
    return bytes((0xFF, high, low, (start + high + low) & 0xFF))


def scale_g(world: World) -> float:
    """What four cells feel of tare and water, with temperature drift and creep."""
    load = world.model.tare_g + world.volume_l * _LITRE_G
    drift = (world.air_c - 20.0) * world.model.scale_drift_g
    return load + drift + (world.rested_load_g(load) - load) * _CREEP


def hx711_counts(world: World, load_g: float, zero: int, counts_per_kg: float) -> int:
    """Two's complement 24-bit conversion of ``load_g``, with noise."""
    grams = load_g + world.random.gauss(0.0, 40.0)
    if world.tilt_deg > 20.0:
        grams = world.random.uniform(0.0, 20000.0)
    counts = round(zero + grams / 1000.0 * counts_per_kg)
    return max(-_INT24_MAX - 1, min(counts, _INT24_MAX)) & 0xFFFFFF

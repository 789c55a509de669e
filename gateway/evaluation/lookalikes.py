"""Stories that look like a theft and are none: batteries, networks, our own work, people, water."""

from dataclasses import replace

from gateway.evaluation.clones import twin
from gateway.evaluation.handling import storm
from gateway.evaluation.harmless import (
    OUTAGE,
    broker_lost,
    cleaning,
    gateway_down,
    planned_move,
)
from gateway.evaluation.nodes import Battery
from gateway.evaluation.openings import label, setting
from gateway.evaluation.scene import Scene
from gateway.evaluation.truth import DAY_S, HOUR_S, NOTHING, TrueCause


def battery_flat(scene: Scene) -> None:
    """A cell runs flat: slowly with a warning, or at once in the cold."""
    random = scene.random
    _, place, at = setting(scene)
    life_s = random.uniform(60, 200) * DAY_S
    accepts = ("battery",)
    if random.random() < 0.6:
        place.node.battery = Battery(at - 0.985 * life_s, life_s)
        begin = scene.start
    else:
        place.node.battery = Battery(at - random.uniform(0.85, 0.95) * life_s, life_s)
        begin, accepts = at, ("battery", "silent")

        def dies() -> None:
            place.node.alive = False

        scene.at(at, dies)
    label(scene, place, "battery", accepts, begin, scene.end)


def network_out(scene: Scene) -> None:
    """The uplink that several tanks share fails for hours; nodes back off after it."""
    random = scene.random
    found, _, at = setting(scene, tanks=random.choice((2, 3, 4, 6)))
    for place in found.places:
        place.node.uplink = found.uplink
    seconds = random.uniform(1, 20) * HOUR_S
    scene.cut_off(found.uplink, at, at + seconds)
    until = at + seconds + min(seconds, 8 * HOUR_S) + 2 * HOUR_S
    broken = sum(
        3 * p.node.report_s + max(120.0, 0.05 * p.node.report_s) < seconds for p in found.places
    )
    # One broken promise is a device; only several show that the network is out.
    accepts = ("network_out",) if broken > 1 else ("network_out", NOTHING)
    scene.causes.append(TrueCause("network_out", accepts, at, until, uplink=found.uplink))
    for place in found.places:
        also = ("silent", "unknown", NOTHING)
        label(scene, place, NOTHING, also, at, until, "behind a dead network")


def radio_lost(scene: Scene) -> None:
    """One node's radio fails, for hours or for good."""
    _, place, at = setting(scene, tanks=scene.random.choice((1, 2, 3)))
    seconds = scene.random.choice((scene.random.uniform(6, 40) * HOUR_S, 90 * DAY_S))
    scene.cut_off(place.node.device, at, at + seconds)
    label(scene, place, "silent", ("silent", "unknown"), at, scene.end)


def gateway_stopped(scene: Scene) -> None:
    """The gateway itself is down for hours: no silence may be judged by that."""
    found, place, at = setting(scene, tanks=scene.random.choice((1, 2, 3)))
    scene.gateway_stops.clear()
    seconds = scene.random.uniform(1, 12) * HOUR_S
    gateway_down(scene, at, seconds)
    until = at + 2 * seconds + HOUR_S
    for place in found.places:
        label(scene, place, NOTHING, (NOTHING,), at, until, "gateway down")


def broker_away(scene: Scene) -> None:
    """The broker is lost for hours; nodes back off and return late."""
    found, _, at = setting(scene, tanks=scene.random.choice((1, 2, 3)))
    seconds = scene.random.uniform(1, 8) * HOUR_S
    broker_lost(scene, at, seconds)
    until = at + seconds + min(seconds, 8 * HOUR_S) + HOUR_S
    for place in found.places:
        label(scene, place, NOTHING, (NOTHING,), at, until, "broker lost")


def late_node(scene: Scene) -> None:
    """A weak radio: messages come in bursts, an hour or three late, for a day and more."""
    random = scene.random
    _, place, at = setting(scene)
    until = min(at + random.uniform(20, 40) * HOUR_S, scene.end)
    begin = at
    while begin < until:
        seconds = random.uniform(0.5, 3) * HOUR_S
        scene.cut_off(place.node.device, begin, begin + seconds)
        begin += seconds + random.uniform(120, 2400)
    place.node.rssi = -89.0
    label(scene, place, NOTHING, OUTAGE, at, until + 6 * HOUR_S, "late")


def _sick(scene: Scene, fault: str, hours: tuple[float, float], plenty: float = 0.4) -> None:
    random = scene.random
    _, place, at = setting(scene, plenty=plenty)
    until = min(at + random.uniform(*hours) * HOUR_S, scene.end - HOUR_S)
    place.node.sensor.faults.append((at, until, fault))
    if fault == "plateaus":
        place.node.sensor.ladder_mm = random.randint(250, 450)
    label(scene, place, "sensor_fault", ("sensor_fault",), at, until + DAY_S, fault)


def no_echo(scene: Scene) -> None:
    """The sensor reports no echo for hours or days."""
    _sick(scene, "null", (5, 60))


def stuck_sensor(scene: Scene) -> None:
    """The sensor repeats one value for days."""
    _sick(scene, "stuck", (36, 72), plenty=0.2)


def noisy_sensor(scene: Scene) -> None:
    """False echoes in half of all readings, for days."""
    _sick(scene, "noisy", (20, 96))


def two_plateaus(scene: Scene) -> None:
    """An echo off the ladder, for hours at a time."""
    _sick(scene, "plateaus", (20, 72))


def drifting_sensor(scene: Scene) -> None:
    """A slow drift of up to 3 mm a day, limited to 15 mm."""
    _, place, _ = setting(scene)
    place.node.sensor.drift_mm_day = scene.random.choice((-1, 1)) * scene.random.uniform(0.5, 3)
    label(scene, place, NOTHING, (NOTHING,), scene.start, scene.end, "drift")


def full_reads_far(scene: Scene) -> None:
    """A JSN-SR04T without a riser: a full tank is in its blind zone and reads far."""
    found, _place, _ = setting(scene, jsn=True, big=False)
    for one in found.places:
        one.node.sensor.height_mm -= 120
        one.node.sensor.far_mm = scene.random.choice((0, 0, scene.random.randint(700, 1200))) or (
            scene.random.randint(2000, 5800)
        )
        one.row = replace(one.row, sensor_height_mm=one.node.sensor.height_mm)
        accepts = (NOTHING, "sensor_fault")
        label(scene, one, NOTHING, accepts, scene.start, scene.end, "blind zone")


def knocks(scene: Scene) -> None:
    """Children, cans, a ball: many bumps in some hours."""
    _found, place, at = setting(scene)
    storm(scene, place, at, at + scene.random.uniform(1, 6) * HOUR_S, scene.random.randint(10, 60))
    label(scene, place, NOTHING, (NOTHING,), at, at + 8 * HOUR_S, "knocks")


def wind_storm(scene: Scene) -> None:
    """A storm shakes all tanks of a site and makes their sensors noisy."""
    random = scene.random
    found, _, at = setting(scene, tanks=random.choice((2, 3)))
    end = at + random.uniform(4, 12) * HOUR_S
    for place in found.places:
        storm(scene, place, at, end, random.randint(20, 100))
        times = random.uniform(1.5, 3)
        sensor = place.node.sensor
        scene.at(at, lambda s=sensor, t=times: setattr(s, "noise_mm", s.noise_mm * t))
        scene.at(end, lambda s=sensor, t=times: setattr(s, "noise_mm", s.noise_mm / t))
        label(scene, place, NOTHING, (NOTHING,), at, end + 2 * HOUR_S, "storm")


def own_move(scene: Scene) -> None:
    """We move a tank, as planned."""
    _, place, at = setting(scene)
    planned_move(scene, place, at)


def own_cleaning(scene: Scene) -> None:
    """We clean a tank, as planned: its water is let out."""
    _, place, at = setting(scene)
    cleaning(scene, place, at)


def cloned(scene: Scene) -> None:
    """A second node with the same identity and another era speaks beside the first."""
    _, place, at = setting(scene)
    until = min(at + scene.random.uniform(6, 30) * HOUR_S, scene.end)
    twin(scene, place, at, until)
    label(scene, place, "clone", ("clone",), at, scene.end)

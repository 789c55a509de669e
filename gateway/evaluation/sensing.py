"""A level sensor with its faults: noise, false echoes, blind zone, temperature, drift."""

from dataclasses import dataclass, field
from math import cos, pi, sqrt
from random import Random

from gateway.domain.volume import corrected_mm
from gateway.evaluation.truth import DAY_S

_SAMPLES = 7
_DEEPEST_DRIFT_MM = 15.0

SensorValue = tuple[int | None, int, int, int, int]
"""mm (None without an echo), spread mm, valid samples, samples tried, air in tenths of a degree."""


@dataclass(slots=True)
class LevelSensor:
    """One ultrasonic sensor. ``noise_mm`` is the standard deviation of a reading.

    ``false_part``: the part of readings that are false echoes, at ``ladder_mm`` where set, else
    anywhere. ``corrected``: the module corrects the speed of sound itself. ``blind_mm``: nearer
    water reads ``far_mm``.
    """

    random: Random
    height_mm: int
    noise_mm: float
    false_part: float = 0.0
    ladder_mm: int | None = None
    null_part: float = 0.0
    step_mm: int = 1
    corrected: bool = True
    declared: bool = True  # the registry states that the module corrects
    blind_mm: float = 30.0
    far_mm: int = 0
    common: float = 0.3  # of the noise: the same for all samples of a burst (waves, foam)
    drift_mm_day: float = 0.0
    air_c: float = 12.0
    swing_c: float = 5.0
    faults: list[tuple[float, float, str]] = field(default_factory=list[tuple[float, float, str]])
    tilted: bool = False
    _stuck_mm: int | None = None
    _began: float | None = None

    def fault_at(self, at: float) -> str:
        """The fault in force: ``stuck null noisy plateaus`` or empty."""
        return next((kind for start, end, kind in self.faults if start <= at < end), "")

    def air_at(self, at: float) -> float:
        """Air temperature in the tank, warmest at 14 h."""
        return self.air_c + self.swing_c * cos(2 * pi * ((at + 3600) / DAY_S - 14 / 24))

    def read(self, at: float, level_mm: float) -> SensorValue:
        """One burst at a true level."""
        random, air_c = self.random, self.air_at(at)
        fault = self.fault_at(at)
        distance = self._reported(at, self.height_mm - level_mm, air_c)
        sample_sd = self.noise_mm * sqrt(1 - self.common**2) * sqrt(_SAMPLES) / 1.2533
        spread = max(round(sample_sd * max(random.gauss(1.0, 0.3), 0.1)), 0)
        value: float | None = distance + random.gauss(0.0, self.noise_mm)
        valid = _SAMPLES if random.random() < 0.9 else random.randint(4, _SAMPLES)
        luck = random.random()
        if self.tilted:
            value, spread = random.uniform(60, 1500), round(random.uniform(5, 200))
        elif distance < self.blind_mm:
            value = self.far_mm + random.gauss(0.0, 20.0)
        elif luck < self.false_part:
            value, valid = self._false_echo(distance), random.randint(2, _SAMPLES)
        elif luck > 1 - self.null_part:
            value = None
        if fault:
            value, spread, valid = self._faulty(fault, at, distance, value, spread, valid)
        else:
            self._stuck_mm = None
        tenths = round(air_c * 10)
        if value is None:
            return None, 0, 0, _SAMPLES, tenths
        mm = max(round(value / self.step_mm) * self.step_mm, 0)
        return mm, spread, valid, _SAMPLES, tenths

    def _reported(self, at: float, distance: float, air_c: float) -> float:
        """What a perfect module reports: without correction it assumes 20 degrees."""
        if self._began is None:
            self._began = at
        drift = self.drift_mm_day * (at - self._began) / DAY_S
        distance += min(max(drift, -_DEEPEST_DRIFT_MM), _DEEPEST_DRIFT_MM)
        if self.corrected:
            return distance
        return distance * distance / corrected_mm(distance, air_c) if distance > 0 else distance

    def _false_echo(self, distance: float) -> float:
        if self.ladder_mm is not None and self.ladder_mm < distance:
            return self.ladder_mm + self.random.gauss(0.0, 1.0)
        return self.random.uniform(40, max(distance * 1.8, 400))

    def _faulty(
        self, fault: str, at: float, distance: float, value: float | None, spread: int, valid: int
    ) -> tuple[float | None, int, int]:
        random = self.random
        if fault == "null":
            return None, 0, 0
        if fault == "stuck":
            if self._stuck_mm is None:
                self._stuck_mm = round(distance)
            return self._stuck_mm, 0, _SAMPLES
        if fault == "plateaus":  # an echo off the ladder, for hours at a time
            near = self.ladder_mm or 350
            return (near, 0, valid) if int(at // 5400) % 2 else (value, spread, valid)
        if random.random() < 0.55:  # noisy: a wet face, a loose plug
            return random.uniform(30, 1400), round(random.uniform(0, 300)), random.randint(1, 7)
        return (None, 0, 0) if random.random() < 0.1 else (value, spread, valid)

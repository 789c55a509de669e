"""One IBC whose readings are settled: exact litres, or noise and draws from a seed."""

from random import Random

from gateway.domain.inputs import Reading
from gateway.domain.watch.tracks import settling
from gateway.domain.watch.tracks.settling import Sample, Settling
from tests.unit.tank_story import LITRES_PER_MM, T0, ibc

ROW = ibc()  # 1000 L, four taps, empty at 20 L
SD_L = 6.5
GATE_L = 5 * 0.9 * SD_L  # before anything is learned: 29.25 L


def reading(
    at: float, litres: float | None, *, mm: int | None = None, sd_l: float = SD_L,
    fault: str | None = None, valid: int | None = 7,
) -> Reading:  # fmt: skip
    """A reading ``at`` seconds after T0; ``mm`` when it is not that of ``litres``; ``valid`` of
    seven samples found an echo.
    """
    value = mm if mm is not None or litres is None else round(1100 - litres / LITRES_PER_MM)
    return Reading(
        ROW.id, "node-1", "aaaaaaaa", 1, int(at), 0, T0 + at, False, 0, T0 + at, "mm", value,
        4, valid, 7, 110, litres, None if litres is None else sd_l, fault,
    )  # fmt: skip


class SettledTank:
    """``track`` after the readings so far; ``at`` is seconds since T0."""

    def __init__(self, *litres: float) -> None:
        self.track, self.at = Settling(), 0.0
        self.reads(*litres)

    def reads(
        self, *litres: float, every: float = 900, mm: int | None = None, valid: int | None = 7
    ) -> list[Sample]:
        """What the readings settle, ``every`` seconds each."""
        settled: list[Sample] = []
        for level in litres:
            self.at += every
            new = reading(self.at, level, mm=mm, valid=valid)
            settled += settling.settle(self.track, ROW, new)
        return settled

    def litres(self, *litres: float, every: float = 900, mm: int | None = None) -> list[float]:
        """The litres that the readings settle."""
        return [sample.litres for sample in self.reads(*litres, every=every, mm=mm)]


def days_of_use(random: Random, days: int, sd_mm: float, every_s: int = 600) -> list[float]:
    """Litres that a sensor with this noise reads of an IBC: draws by day, and a full tank again
    when it is nearly empty.
    """
    level, read = 950.0, list[float]()
    for at in range(0, days * 86_400, every_s):
        is_day = 6 * 3600 <= at % 86_400 < 20 * 3600
        level -= random.choice((0.0, 5.0, 10.0)) * every_s / 600 if is_day else 0.0
        if level < 100:
            level = 950.0
        mm = round(1100 - level / LITRES_PER_MM + random.gauss(0.0, sd_mm))
        read.append((1100 - mm) * LITRES_PER_MM)
    return read

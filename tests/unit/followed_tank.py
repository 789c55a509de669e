"""The account of one IBC after settled samples, with exact litres and a known scatter."""

from copy import deepcopy

from gateway.domain.outputs import TankEvent
from gateway.domain.watch.tracks import delivery, flow
from gateway.domain.watch.tracks.account import Flow
from gateway.domain.watch.tracks.settling import Sample
from tests.unit.settled_tank import ROW, SD_L
from tests.unit.tank_story import T0

SIGMA_L = 3.0
STEP_L = 16.25  # 2.5 sd that the sensor states
ERROR_L = 1.645 * 0.6 * 2**0.5 * SIGMA_L


def sampled(*recent: list[float], refill_at: float | None = None) -> Flow:
    """A flow whose last settled samples are these, [at, litres]."""
    flow = Flow(refill_at=refill_at)
    flow.recent = list(recent)
    return flow


class Followed:
    """A tank's flow after settled samples; ``at`` is seconds since T0."""

    def __init__(self, *litres: float) -> None:
        self.flow, self.at = Flow(), 0.0
        self.complete: list[TankEvent] = []
        self.sees(*litres)

    @property
    def told(self) -> list[TankEvent]:
        """The events so far, those that wait for more of their delivery too."""
        return self.complete + delivery.release(deepcopy(self.flow))

    def sees(
        self, *litres: float, every: float = 900, sigma_l: float = SIGMA_L, suspect: bool = False
    ) -> "Followed":
        """Samples, ``every`` seconds each."""
        for level in litres:
            self.at += every
            self.complete += flow.update(
                self.flow, ROW, self.sample(level), sigma_l, is_suspect=suspect
            )
        return self

    def sample(self, litres: float) -> Sample:
        """A sample of now."""
        return Sample(T0 + self.at, T0 + self.at, litres, SD_L)

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.told]

    def total(self, kind: str) -> float:
        return sum(e.litres or 0.0 for e in self.told if e.kind == kind)

"""What really happened in a story, to compare with the watch's output. Unix s and litres."""

from dataclasses import asdict, dataclass, field
from math import inf

HOUR_S = 3600.0
DAY_S = 86400.0

NOTHING = "none"
"""The label of a harmless happening: no incident but one of the water kinds is right."""


@dataclass(frozen=True, slots=True)
class TrueCause:
    """Something that the watch has to recognise, or must not take for a theft.

    ``kind`` is the incident kind, or ``NOTHING``; ``accepts`` are all kinds that count as right
    at opening. ``at`` to ``until``: from its beginning to its last effect. Either ``tank`` or
    ``uplink`` is set; ``note`` says more, and makes a harmless thing one that is counted.
    """

    kind: str
    accepts: tuple[str, ...]
    at: float
    until: float
    tank: str | None = None
    uplink: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class TrueRefill:
    """Water delivered to a tank; ``hidden``: no reading was taken while it came."""

    tank: str
    at: float
    until: float
    litres: float
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class FaultSpell:
    """A time in which a sensor measured nonsense or nothing."""

    tank: str
    kind: str
    at: float
    until: float


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth of one story.

    ``levels``: by tank, at each reading: Unix s, litres, litres drawn so far, litres lost so far.
    ``limits``: by tank, the litres below which it is low and empty. ``drawn_by_hour``: by tank,
    litres drawn in each clock hour (number of hours since 1970). ``receipts``: by tank, for each
    message, when it was received and the time of its newest reading or event.
    """

    start: float
    end: float
    causes: list[TrueCause] = field(default_factory=list[TrueCause])
    refills: list[TrueRefill] = field(default_factory=list[TrueRefill])
    faults: list[FaultSpell] = field(default_factory=list[FaultSpell])
    levels: dict[str, list[tuple[float, float, float, float]]] = field(
        default_factory=dict[str, list[tuple[float, float, float, float]]]
    )
    limits: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    drawn_by_hour: dict[str, dict[int, float]] = field(default_factory=dict[str, dict[int, float]])

    receipts: dict[str, list[tuple[float, float]]] = field(
        default_factory=dict[str, list[tuple[float, float]]]
    )

    def first_known(self, tank: str, at: float) -> float | None:
        """When the first message from after ``at`` was received: nothing can be known before."""
        return min((r for r, newest in self.receipts.get(tank, ()) if newest >= at), default=None)

    def taken(self, tank: str, after: float, until: float) -> list[tuple[float, float]]:
        """When each reading of a span was taken, and when it was received at the latest."""
        receipts = sorted(self.receipts.get(tank, ()))
        found: list[tuple[float, float]] = []
        for taken, *_ in self.levels.get(tank, ()):
            if after < taken <= until:
                received = next((r for r, newest in receipts if newest >= taken), inf)
                found.append((taken, received))
        return found

    def as_json(self) -> dict[str, object]:
        """All of it as JSON values."""
        return asdict(self)

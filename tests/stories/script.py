"""Stories of one tank (or of several behind one uplink), generated from a seed.

A story is a list of wakes: when the node sends a message, and its fields. Times are seconds since
the beginning of the story.
"""

import random
from dataclasses import dataclass, field
from typing import Any

HOURS = 4.0
NEXT_S = 600
FULL_L = 950.0
_LITRES_PER_MM = 1.0716
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
KINDS = (
    "quiet", "low", "empty", "refilled", "silent", "silent_and_back", "seized", "drained",
    "slashed", "lid", "bump", "backlog", "clockless", "network_out",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wake:
    """A message with ``fields``, sent ``at``; ``sealed`` earlier if it could not be sent then."""

    at: float
    fields: dict[str, Any]
    sealed: float | None = None


@dataclass
class DeviceStory:
    """One device, its tank, and all its wakes in order."""

    device: str
    tank: str
    kind: str
    uplink: str | None = None
    clock: bool = True
    wakes: list[Wake] = field(default_factory=list[Wake])


class StoryBuilder:
    """Generates the wakes of one device while its tank empties, is filled, moved or cut."""

    def __init__(self, story: DeviceStory, dice: random.Random) -> None:
        self.story = story
        self.dice = dice
        self.litres = dice.uniform(600.0, FULL_L)
        self.at = dice.uniform(5.0, NEXT_S)

    def send(
        self, *events: dict[str, Any], next_s: int = NEXT_S, sealed: float | None = None
    ) -> None:
        """One message with a reading, now."""
        mm = round(1100 - max(self.litres, 0.0) / _LITRES_PER_MM) + self.dice.randint(-1, 1)
        fields: dict[str, Any] = {
            "next": next_s,
            "mv": 3990,
            "r": [{"o": 0, "mm": mm, "sp": 4, "n": 7, "of": 7, "tc": 110}],
        }
        if events:
            fields["e"] = list(events)
        self.story.wakes.append(Wake(self.at, fields, sealed))

    def live(self, until: float, litres_per_h: float = 8.0) -> None:
        """Normal use: a wake every ten minutes, people draw."""
        while self.at < until:
            self.send()
            self.wait(0.97 * NEXT_S, litres_per_h)

    def wait(self, seconds: float, litres_per_h: float = 0.0) -> None:
        """Let time pass and water leave."""
        self.at += seconds
        self.litres = max(0.0, self.litres - litres_per_h * seconds / 3600)

    def fall(self, to: float, litres_per_min: float, *events: dict[str, Any]) -> None:
        """The level falls fast; the node feels it and sends every 30 s."""
        self.send(*events, next_s=30)
        while self.litres > to:
            self.wait(30)
            self.litres = max(to, self.litres - litres_per_min / 2)
            self.send(next_s=30)


_MOTION = {"o": 20, "k": "motion", "mg": 900, "ms": 41_000}
_TILT = {"o": 15, "k": "tilt", "deg": 64}
_BUMP = {"o": 2, "k": "motion", "mg": 300, "ms": 400}
_LID = {"o": 3, "k": "lid", "open": True}


def _build(builder: StoryBuilder, kind: str, end: float) -> None:
    dice = builder.dice
    turn = dice.uniform(0.3, 0.5) * end
    if kind == "low":
        builder.litres = dice.uniform(340.0, 420.0)
        builder.live(end, dice.uniform(40.0, 60.0))
    elif kind == "empty":
        builder.litres = dice.uniform(220.0, 330.0)
        builder.live(end, dice.uniform(120.0, 160.0))
    elif kind == "refilled":
        builder.litres = dice.uniform(300.0, 340.0)
        builder.live(turn, dice.uniform(60.0, 80.0))
        builder.litres = dice.uniform(850.0, 950.0)
        builder.live(end)
    elif kind == "silent":
        builder.live(turn)
    elif kind == "silent_and_back":
        builder.live(turn)
        builder.wait(dice.uniform(3000.0, 4000.0))
        builder.live(end)
    elif kind == "seized":
        builder.live(turn)
        builder.send(_MOTION, _TILT, next_s=30)
        for _ in range(dice.randint(1, 4)):
            builder.wait(30)
            builder.send(next_s=30)
    elif kind == "drained":
        builder.live(turn)
        builder.fall(5.0, dice.uniform(120.0, 300.0), _BUMP)
        builder.wait(300)
        builder.live(end, 0.0)
    elif kind == "slashed":
        builder.live(turn)
        builder.fall(builder.litres * dice.uniform(0.3, 0.5), dice.uniform(60.0, 150.0), _MOTION)
        for _ in range(10):
            builder.wait(30)
            builder.send(next_s=30)
        builder.wait(300)
        builder.live(end, 0.0)
    elif kind == "lid":
        builder.live(turn)
        builder.send(_LID)
        builder.wait(0.97 * NEXT_S)
        builder.live(end)
    elif kind == "bump":
        builder.live(turn)
        builder.send(_BUMP)
        builder.wait(0.97 * NEXT_S)
        builder.live(end)
    elif kind == "backlog":
        builder.live(turn)
        back = builder.at + dice.choice((dice.uniform(700.0, 1100.0), dice.uniform(1700.0, 2200.0)))
        sealed_at = [builder.at + 300 * n for n in range(8) if builder.at + 300 * n < back]
        for sealed in sealed_at:
            builder.at = back
            builder.litres -= 3
            builder.send(sealed=sealed)
        builder.wait(0.97 * NEXT_S)
        builder.live(end)
    else:
        builder.live(end, dice.uniform(2.0, 12.0))


def stories(number: int, seed: int, hours: float = HOURS) -> list[DeviceStory]:
    """``number`` stories; those of kind ``network_out`` have three tanks behind one uplink."""
    dice = random.Random(seed)
    end = hours * 3600
    found: list[DeviceStory] = []
    for n in range(number):
        kind = KINDS[n % len(KINDS)]
        own = random.Random(dice.random())
        if kind == "network_out":
            found += _network_out(n, own, end)
            continue
        story = DeviceStory(_device(n, 0), f"tank-{n}", kind, clock=kind != "clockless")
        _build(StoryBuilder(story, own), kind, end)
        found.append(story)
    return found


def _network_out(n: int, dice: random.Random, end: float) -> list[DeviceStory]:
    out = dice.uniform(0.3, 0.4) * end
    back = out + dice.uniform(3600.0, 4500.0)
    found: list[DeviceStory] = []
    for i in range(3):
        one = DeviceStory(_device(n, i), f"tank-{n}-{i}", "network_out", uplink=f"router-{n}")
        builder = StoryBuilder(one, random.Random(dice.random()))
        builder.live(out)
        builder.at = back + dice.uniform(0.0, 60.0)
        builder.live(end)
        found.append(one)
    return found


def _device(n: int, i: int) -> str:
    digits = ""
    number = n * 4 + i
    for _ in range(7):
        digits = _ALPHABET[number % 32] + digits
        number //= 32
    return digits

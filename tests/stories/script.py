"""What happens to one tank (or to several behind one uplink), drawn from a seed.

A story is a list of wakes: when the node speaks, and what it then says. Times are seconds since
the story's beginning.
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
    """The node speaks ``at`` and says ``fields``; ``sealed`` earlier where it could not speak."""

    at: float
    fields: dict[str, Any]
    sealed: float | None = None


@dataclass
class Told:
    """One device, its tank, and all its wakes in order."""

    device: str
    tank: str
    kind: str
    uplink: str | None = None
    clock: bool = True
    wakes: list[Wake] = field(default_factory=list[Wake])


class Teller:
    """Makes one device's wakes as its tank falls, is filled, moved or cut."""

    def __init__(self, told: Told, dice: random.Random) -> None:
        self.told = told
        self.dice = dice
        self.litres = dice.uniform(600.0, FULL_L)
        self.at = dice.uniform(5.0, NEXT_S)

    def speak(
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
        self.told.wakes.append(Wake(self.at, fields, sealed))

    def live(self, until: float, litres_per_h: float = 8.0) -> None:
        """Ordinary life: a wake every ten minutes, people draw."""
        while self.at < until:
            self.speak()
            self.wait(0.97 * NEXT_S, litres_per_h)

    def wait(self, seconds: float, litres_per_h: float = 0.0) -> None:
        """Time passes, water goes."""
        self.at += seconds
        self.litres = max(0.0, self.litres - litres_per_h * seconds / 3600)

    def fall(self, to: float, litres_per_min: float, *events: dict[str, Any]) -> None:
        """Felt, so the node speaks every 30 s while the level falls."""
        self.speak(*events, next_s=30)
        while self.litres > to:
            self.wait(30)
            self.litres = max(to, self.litres - litres_per_min / 2)
            self.speak(next_s=30)


_MOTION = {"o": 20, "k": "motion", "mg": 900, "ms": 41_000}
_TILT = {"o": 15, "k": "tilt", "deg": 64}
_BUMP = {"o": 2, "k": "motion", "mg": 300, "ms": 400}
_LID = {"o": 3, "k": "lid", "open": True}


def _tell(teller: Teller, kind: str, end: float) -> None:
    dice = teller.dice
    turn = dice.uniform(0.3, 0.5) * end
    if kind == "low":
        teller.litres = dice.uniform(340.0, 420.0)
        teller.live(end, dice.uniform(40.0, 60.0))
    elif kind == "empty":
        teller.litres = dice.uniform(220.0, 330.0)
        teller.live(end, dice.uniform(120.0, 160.0))
    elif kind == "refilled":
        teller.litres = dice.uniform(300.0, 340.0)
        teller.live(turn, dice.uniform(60.0, 80.0))
        teller.litres = dice.uniform(850.0, 950.0)
        teller.live(end)
    elif kind == "silent":
        teller.live(turn)
    elif kind == "silent_and_back":
        teller.live(turn)
        teller.wait(dice.uniform(3000.0, 4000.0))
        teller.live(end)
    elif kind == "seized":
        teller.live(turn)
        teller.speak(_MOTION, _TILT, next_s=30)
        for _ in range(dice.randint(1, 4)):
            teller.wait(30)
            teller.speak(next_s=30)
    elif kind == "drained":
        teller.live(turn)
        teller.fall(5.0, dice.uniform(120.0, 300.0), _BUMP)
        teller.wait(300)
        teller.live(end, 0.0)
    elif kind == "slashed":
        teller.live(turn)
        teller.fall(teller.litres * dice.uniform(0.3, 0.5), dice.uniform(60.0, 150.0), _MOTION)
        for _ in range(10):
            teller.wait(30)
            teller.speak(next_s=30)
        teller.wait(300)
        teller.live(end, 0.0)
    elif kind == "lid":
        teller.live(turn)
        teller.speak(_LID)
        teller.wait(0.97 * NEXT_S)
        teller.live(end)
    elif kind == "bump":
        teller.live(turn)
        teller.speak(_BUMP)
        teller.wait(0.97 * NEXT_S)
        teller.live(end)
    elif kind == "backlog":
        teller.live(turn)
        back = teller.at + dice.choice((dice.uniform(700.0, 1100.0), dice.uniform(1700.0, 2200.0)))
        held = [teller.at + 300 * n for n in range(8) if teller.at + 300 * n < back]
        for sealed in held:
            teller.at = back
            teller.litres -= 3
            teller.speak(sealed=sealed)
        teller.wait(0.97 * NEXT_S)
        teller.live(end)
    else:
        teller.live(end, dice.uniform(2.0, 12.0))


def stories(number: int, seed: int, hours: float = HOURS) -> list[Told]:
    """``number`` stories; those of kind ``network_out`` have three tanks behind one uplink."""
    dice = random.Random(seed)
    end = hours * 3600
    found: list[Told] = []
    for n in range(number):
        kind = KINDS[n % len(KINDS)]
        own = random.Random(dice.random())
        if kind == "network_out":
            found += _network_out(n, own, end)
            continue
        told = Told(_device(n, 0), f"tank-{n}", kind, clock=kind != "clockless")
        _tell(Teller(told, own), kind, end)
        found.append(told)
    return found


def _network_out(n: int, dice: random.Random, end: float) -> list[Told]:
    out = dice.uniform(0.3, 0.4) * end
    back = out + dice.uniform(3600.0, 4500.0)
    told: list[Told] = []
    for i in range(3):
        one = Told(_device(n, i), f"tank-{n}-{i}", "network_out", uplink=f"router-{n}")
        teller = Teller(one, random.Random(dice.random()))
        teller.live(out)
        teller.at = back + dice.uniform(0.0, 60.0)
        teller.live(end)
        told.append(one)
    return told


def _device(n: int, i: int) -> str:
    digits = ""
    number = n * 4 + i
    for _ in range(7):
        digits = _ALPHABET[number % 32] + digits
        number //= 32
    return digits

"""One tank, an hour at a time: what each hour teaches, and the forecast after it."""

from gateway.domain.registry import Tank
from gateway.domain.watch.tracks import forecast as forecasts
from gateway.domain.watch.tracks import profile as profiles
from gateway.domain.watch.tracks.account import Flow
from gateway.domain.watch.tracks.forecast import Outlook
from gateway.domain.watch.tracks.level import LevelTrack
from gateway.domain.watch.tracks.profile import Profile
from gateway.domain.watch.tracks.scaling import Scaling
from tests.unit.tank_story import ibc

HOUR = 3600.0
MONDAY = 498_048  # 2026-10-26 0:00 UTC, in hours
ROW = ibc()  # 1000 L: low at 300, critical at 150, empty at 20


class Watched:
    """One tank, an hour at a time."""

    def __init__(self, row: Tank = ROW, day_l: float = 240.0) -> None:
        self.row, self.hour = row, MONDAY
        self.profile, self.scaling, self.flow = Profile(), Scaling(), Flow()
        self.level = LevelTrack(sd_l=6.0)
        profiles.start(self.profile, day_l)

    def passes(self, *litres: float, level: float = 800.0, known: bool = True) -> "Watched":
        """An hour for each of ``litres``, which were drawn in it."""
        for drawn in litres:
            self.hour += 1
            self.flow.drawn_l += drawn
            self.level.volume_l = level
            self.level.at = self.level.received = self.hour * HOUR - 60
            self.account(known)
        return self

    def misses(self, hours: int) -> "Watched":
        """Hours without a reading."""
        for _ in range(hours):
            self.hour += 1
            self.account(True)
        return self

    def account(self, known: bool) -> None:
        forecasts.account(
            self.profile, self.scaling, self.level, self.flow, self.row, "UTC", self.hour * HOUR,
            profiles.usual(self.profile), is_known=known,
        )  # fmt: skip

    def outlook(self) -> Outlook:
        usual = profiles.usual(self.profile)
        return forecasts.outlook(usual, self.scaling, self.level, self.row, "UTC", self.hour * HOUR)

"""No alerts to one person about one tank, for a while: the choices, and what holds now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from server.words.language import PageLanguage
from server.words.page import Option

Choice = Literal["hours", "morning"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
_SHORT_S = 2 * 3600.0
_MORNING = time(7)


@dataclass(frozen=True, slots=True)
class Snooze:
    """``until`` is empty while alerts about the tank come; ``choices`` then end them."""

    until: str
    choices: Sequence[Option]


def end_of(choice: Choice, now: float, zone: ZoneInfo) -> float:
    """When a snooze that begins at ``now`` ends (Unix s): in 2 h, or at the first 07:00 after."""
    if choice == "hours":
        return now + _SHORT_S
    day = datetime.fromtimestamp(now + _SHORT_S, zone).date()
    morning = datetime.combine(day, _MORNING, zone)
    if morning.timestamp() <= now + _SHORT_S:
        morning = datetime.combine(day + timedelta(days=1), _MORNING, zone)
    return morning.timestamp()


def section(language: PageLanguage, until: float | None, now: float) -> Snooze:
    """The section of a tank's page; ``until``: the end of the person's snooze (Unix s)."""
    if until is not None:
        when = language.moment(until, now)
        return Snooze(
            language.text("No alerts to you about this tank until {time}.", time=when), []
        )
    morning = language.moment(end_of("morning", now, language.zone), now)
    texts = {
        "hours": language.text("Quiet for {time}", time=language.lasting(_SHORT_S)),
        "morning": language.text("Quiet until {time}", time=morning),
    }
    return Snooze("", [Option(choice, texts[choice]) for choice in CHOICES])

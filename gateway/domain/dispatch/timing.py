"""When one message reaches one person: now, after their quiet hours, or in a digest."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from gateway.domain.dispatch.people import Group, Recipient, is_quiet

HOUR_S = 3600.0
Reason = Literal["now", "snoozed", "quiet", "digest"]


class Moment(NamedTuple):
    """When to send (Unix s), and why not now."""

    at: float
    reason: Reason


def moment(
    recipient: Recipient, group: Group, tank: str | None, is_on_shift: bool, now: float,
    zone: ZoneInfo, sent: Sequence[float] = (),
) -> Moment:  # fmt: skip
    """When a message reaches this person; ``sent``: when they were sent others (Unix s).

    A theft is never kept back: it is rare, and minutes count. Who is on shift is not quiet.
    """
    if group == "theft":
        return Moment(now, "now")
    until = recipient.snoozed.get(tank, 0.0) if tank is not None else 0.0
    if until > now:
        return Moment(until, "snoozed")
    local = datetime.fromtimestamp(now, zone)
    if not is_on_shift and is_quiet(recipient, local.hour * 60 + local.minute):
        return Moment(_quiet_until(recipient, local), "quiet")
    lately = sorted(at for at in sent if now - HOUR_S < at <= now)
    if len(lately) >= recipient.per_hour:
        return Moment(lately[-recipient.per_hour] + HOUR_S, "digest")
    return Moment(now, "now")


def _quiet_until(recipient: Recipient, local: datetime) -> float:
    """The end of the quiet hours that ``local`` is in, by the clock of that day (Unix s)."""
    assert recipient.quiet is not None
    hour, minute = divmod(recipient.quiet[1], 60)
    end = local.replace(hour=hour % 24, minute=minute, second=0, microsecond=0, fold=0)
    if end.replace(tzinfo=None) <= local.replace(tzinfo=None):
        end += timedelta(days=1)  # of the calendar: the clock may change in between
    return end.astimezone(UTC).timestamp()

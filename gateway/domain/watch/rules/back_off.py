"""How long a node may back off after outages that it may have met.

A node whose attempt fails waits as long again as it has been failing, at most eight hours
(WIRE.md, Presence). The watch does not see attempts. It sees its own outages, and spans in which
no node of an uplink sent anything; a node may have failed in such a span when its next message
was promised before the span's end and had not arrived before its beginning.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

LONGEST_S = 8 * 3600.0
_TOGETHER_S = 24 * 3600.0
"""Outages within a day of the first one count as met by one series of failing attempts."""
SHORTEST_S = 60.0
"""Shorter pauses on an uplink are not kept."""
_KEPT, _KEPT_S = 16, 48 * 3600.0


class Quiet(NamedTuple):
    """A span without messages, Unix s.

    *own*: the gateway received nothing, which promises are credited with; *proven*: a node of the
    uplink was overdue after it; *possible*: it may also be a pause between messages. It lasted
    ``hidden_s`` longer than its times say: the gateway's clock was set back within it.
    """

    start: float
    end: float
    kind: Literal["own", "proven", "possible"]
    hidden_s: float = 0.0


def allowed_until(
    spans: Iterable[Quiet],
    received: float,
    due: float,
    steps_ahead: Sequence[Sequence[float]] = (),
) -> tuple[float, float]:
    """Until when (Unix s) a node may back off: by the proven spans, and by all; 0 for none met.

    ``received`` is its last message, ``due`` the latest time of its next attempt to send, with
    what it is credited for the gateway's own outages: alone, these excuse nothing more.
    ``steps_ahead``: when the gateway's clock was set ahead, and by how much (Unix s, s), in order:
    a back-off in which it was ends so much later by this clock.

    A node that fails through one outage may find the next one before its next attempt, and then
    has failed since the first. Possible outages are not joined so, or the usual pauses between
    the messages of slow neighbours would excuse a dead node for ever.
    """
    proven, until, attempt, since = 0.0, 0.0, due, None
    for span in sorted(s for s in spans if s.end > received):
        if span.start > attempt:
            break
        failing = (span.start if since is None else since) - span.hidden_s
        reach = span.end + with_slack(min(span.end - failing, LONGEST_S))
        for at, ahead_s in steps_ahead:
            reach += ahead_s if span.end <= at < reach else 0.0
        if span.kind != "own":
            until = max(until, reach)
        if span.kind == "proven":
            proven = max(proven, reach)
        if span.kind != "possible" and span.start - failing <= _TOGETHER_S:
            since, attempt = failing, max(attempt, reach)
    return proven, until


def with_slack(wait_s: float) -> float:
    """A wait and its tolerance: two minutes for the attempt, 5 % for a sleeping node's clock."""
    return wait_s + max(120.0, 0.05 * wait_s)


def record(
    spans: list[list[float]], start: float, end: float, shortest_s: float, lasted_s: float
) -> None:
    """Add a quiet span to an uplink's memory, in its saved form, not proven yet.

    A span no longer than the shortest promise on the uplink excuses nobody: three times the
    promise outlast it and the wait after it. Only what ``lasted_s`` exceeds the span's times by,
    because the gateway's clock was set back in it, is saved as a fourth item.
    """
    if lasted_s <= shortest_s:
        return
    kept = [span for span in spans if span[1] >= end - _KEPT_S]
    if len(kept) == _KEPT:
        kept.remove(min(kept, key=_lasted_s))
    hidden_s = lasted_s - (end - start)
    spans[:] = [*kept, [start, end, 0.0, *([hidden_s] if hidden_s > 0 else [])]]


def _lasted_s(span: list[float]) -> float:
    return span[1] - span[0] + sum(span[3:])


def prove(spans: list[list[float]], start: float, end: float) -> bool:
    """Mark the spans that began from ``start`` to ``end`` (Unix s) as outages; False for none."""
    found = [span for span in spans if start <= span[0] <= end and not span[2]]
    for span in found:
        span[2] = 1.0
    return bool(found)

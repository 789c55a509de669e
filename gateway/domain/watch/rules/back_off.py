"""How long a node may back off after outages that it may have met.

A node whose attempt fails waits as long again as it has been failing, at most eight hours
(WIRE.md, Presence). The watch does not see attempts. It sees its own outages, and spans in which
no node of an uplink sent anything; a node may have failed in such a span when its next message
was promised before the span's end and had not arrived before its beginning.
"""

from collections.abc import Iterable
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
    uplink was overdue after it; *possible*: it may also be a pause between messages.
    """

    start: float
    end: float
    kind: Literal["own", "proven", "possible"]


def allowed_until(spans: Iterable[Quiet], received: float, due: float) -> tuple[float, float]:
    """Until when (Unix s) a node may back off: by the proven spans, and by all; 0 for none met.

    ``received`` is its last message, ``due`` the latest time of its next attempt to send, with
    what it is credited for the gateway's own outages: alone, these excuse nothing more.

    A node that fails through one outage may find the next one before its next attempt, and then
    has failed since the first. Possible outages are not joined so, or the usual pauses between
    the messages of slow neighbours would excuse a dead node for ever.
    """
    proven, until, attempt, since = 0.0, 0.0, due, None
    for span in sorted(s for s in spans if s.end > received):
        if span.start > attempt:
            break
        failing = span.start if since is None else since
        reach = span.end + with_slack(min(span.end - failing, LONGEST_S))
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


def record(spans: list[list[float]], start: float, end: float, shortest_s: float) -> None:
    """Add a quiet span to an uplink's memory, in its saved form, not proven yet.

    A span no longer than the shortest promise on the uplink excuses nobody: three times the
    promise outlast it and the wait after it.
    """
    if end - start <= shortest_s:
        return
    kept = [span for span in spans if span[1] >= end - _KEPT_S]
    if len(kept) == _KEPT:
        kept.remove(min(kept, key=lambda span: span[1] - span[0]))
    spans[:] = [*kept, [start, end, 0.0]]


def prove(spans: list[list[float]], start: float, end: float) -> bool:
    """Mark the spans that began from ``start`` to ``end`` (Unix s) as outages; False for none."""
    found = [span for span in spans if start <= span[0] <= end and not span[2]]
    for span in found:
        span[2] = 1.0
    return bool(found)

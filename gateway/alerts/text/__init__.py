"""The message for one change of an incident: which tank, how urgent, whether somebody goes.

At most 300 characters. It names what and when, never who did it, and never a theft. French is in
``gateway/alerts/locale/fr``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.alerts.text import faults, removal, water
from gateway.alerts.text.alert import Alert, ClaimNote, claim_lines, closing_lines
from gateway.domain.outputs import WATER_KINDS, IncidentKind

__all__ = ["LONGEST", "Alert", "ClaimNote", "Text", "text_of"]

LONGEST = 300
"""Characters of a message: two SMS."""


@dataclass(frozen=True, slots=True)
class Text:
    """A message: ``body`` is complete, ``title`` is for channels with a subject line."""

    title: str
    body: str


_LINES: Mapping[IncidentKind, Callable[[Alert], list[str]]] = {
    "low": water.low,
    "critical": water.critical,
    "empty": water.empty,
    "seized": removal.seized,
    "drained": removal.drained,
    "slashed": removal.slashed,
    "lid_open": removal.lid_open,
    "network_out": faults.network_out,
    "silent": faults.silent,
    "battery": faults.battery,
    "sensor_fault": faults.sensor_fault,
    "moved_by_us": removal.moved_by_us,
    "access_blocked": removal.access_blocked,
    "clone": removal.clone,
    "unknown": removal.unknown,
}


def text_of(alert: Alert) -> Text:
    """The message for one incident change, in the alert's language."""
    kind = alert.change.kind
    is_refilled = alert.change.change == "closed" and kind in WATER_KINDS
    lines = (water.refilled if is_refilled else _LINES[kind])(alert)
    title = lines[0]
    lines[1:1] = closing_lines(alert)
    if alert.change.learned_late:
        lines.append(alert.text("We learned of it late."))
    if alert.change.auth == "unsigned":
        lines.append(alert.text("From an unsigned feed."))
    lines += [] if is_refilled or kind == "network_out" else claim_lines(alert)
    while len(" ".join(lines)) > LONGEST and len(lines) > 3:
        del lines[-3]  # the first line and the last two, who goes and the link, matter most
    return Text(title.rstrip(". "), " ".join(lines))

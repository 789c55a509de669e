"""What people are told at one change of an incident: which tank, how urgent, is somebody going.

One message, at most 300 characters. It says what and when, never who did it; nothing is called
theft. Wording follows the drawings of the alerts; French stands in ``gateway/alerts/locale/fr``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.alerts.text import faults, removal, water
from gateway.alerts.text.alert import Alert, ClaimNote
from gateway.alerts.text.claim import claim_lines
from gateway.domain.outputs import WATER_KINDS, IncidentKind

__all__ = ["LONGEST", "Alert", "ClaimNote", "Text", "text_of"]

LONGEST = 300
"""Characters of a message: two SMS."""


@dataclass(frozen=True, slots=True)
class Text:
    """A message: ``title`` for channels that show one (a subject), ``body`` says it all."""

    title: str
    body: str


_SAID: Mapping[IncidentKind, Callable[[Alert], list[str]]] = {
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
    refilled = alert.change.change == "closed" and kind in WATER_KINDS
    said = (water.refilled if refilled else _SAID[kind])(alert)
    title, *facts = said
    parts = [title, *facts]
    if alert.change.learned_late:
        parts.append(alert.language.text("We learned of it late."))
    if alert.change.auth == "unsigned":
        parts.append(alert.language.text("From an unsigned feed."))
    parts += [] if refilled or kind == "network_out" else claim_lines(alert)
    return Text(title.rstrip(". "), _fitting(parts))


def _fitting(parts: list[str]) -> str:
    """The parts in a row; from the middle out, what does not fit is left out."""
    while len(" ".join(parts)) > LONGEST and len(parts) > 3:
        del parts[-3]
    return " ".join(parts)

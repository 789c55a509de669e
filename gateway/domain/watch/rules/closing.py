"""A request to close an incident of theft, until somebody else agrees.

Whoever holds one person's phone could otherwise end the search for a tank. The incident stays open
meanwhile, and people are alerted to the request, to its end after an hour without agreement, and
to evidence that contradicts it.
"""

from typing import Literal

from gateway.domain.watch.memory import incidents
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import Incident, TankState

CONFIRM_S = 3600.0
"""So long somebody else may agree: an hour is enough to call a second person at night."""

Ending = Literal["unconfirmed", "evidence", "kept"]
"""Why a request ended and the incident stays open: nobody agreed, it was contradicted by newer
evidence, or a person withdrew or refused it."""


def ask(context: WatchContext, incident: Incident, why: str) -> None:
    """Somebody says that it is over; a second request changes neither the first nor its hour."""
    if incident.closing:
        return
    incident.closing, incident.closing_at = why, context.now
    until = context.now + CONFIRM_S
    if incident.tank is not None:
        context.set_timer(context.tank(incident.tank), "closing", until)
    incidents.announce(
        context, incident, {"closing": why, "closing_until": until, "closing_ended": None}
    )


def end(context: WatchContext, incident: Incident, how: Ending) -> None:
    """The request is over and the incident stays open. Does nothing without a request."""
    if not incident.closing:
        return
    incident.closing, incident.closing_at = "", None
    incidents.announce(
        context, incident,
        {"closing": None, "closing_ended": how, "closing_ended_at": context.now},
    )  # fmt: skip


def note_evidence(context: WatchContext, incident: Incident | None, at: float) -> None:
    """Evidence at ``at`` (Unix s) contradicts a request that was made before."""
    asked = incident.closing_at if incident is not None else None
    if incident is not None and asked is not None and at > asked:
        end(context, incident, "evidence")


def expire(context: WatchContext, tank: TankState) -> None:
    """End the requests about a tank to which nobody agreed in time."""
    for incident in list(context.incidents.values()):
        asked = incident.closing_at
        if incident.tank == tank.tank and asked is not None and context.now >= asked + CONFIRM_S:
            end(context, incident, "unconfirmed")

"""The end of a message: is somebody going, and where to tap."""

from gateway.alerts.text.alert import Alert, short
from gateway.domain.outputs import WATER_KINDS


def claim_lines(alert: Alert) -> list[str]:
    """Who is going and when, and the link; or when it ended."""
    text = alert.language.text
    is_water = alert.change.kind in WATER_KINDS
    if alert.closed is not None:
        return [text("It ended at {time}.", time=alert.when(alert.closed)), *link(alert, "See")]
    if alert.going is not None:
        name, eta = short(alert.going.name) or text("Somebody"), alert.going.eta
        if eta is None or eta <= alert.now:
            return [text("{name} is going.", name=name), *link(alert, "See")]
        there = text("{name} is going, there about {time}.", name=name, time=alert.when(eta))
        return [there, *link(alert, "See")]
    if is_water:
        return [text("Nobody is going yet."), *link(alert, "Go")]
    return [text("Nobody is looking yet."), *link(alert, "See")]


def link(alert: Alert, verb: str) -> list[str]:
    """``Go: …`` to claim it, or ``See: …``; nothing where people have no pages."""
    if not alert.public_url:
        return []
    url = alert.public_url.rstrip("/")
    if verb == "Go":
        return [alert.language.text("Go: {link}", link=f"{url}/c/{alert.change.id}")]
    return [alert.language.text("See: {link}", link=f"{url}/i/{alert.change.id}")]

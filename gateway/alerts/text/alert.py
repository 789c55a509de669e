"""The context of one alert, and the lines that all messages share."""

from dataclasses import dataclass

from gateway.alerts.language import Language, mark
from gateway.domain.outputs import WATER_KINDS, IncidentChange
from gateway.domain.registry import Registry

_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class ClaimNote:
    """Who has claimed the incident, and when they arrive (Unix s).

    ``name`` is what others see, empty where it is not known.
    """

    name: str
    eta: float | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """One change of an incident with its context. Times are Unix s.

    ``closed`` is when the incident ended, if it had by the time of sending. ``public_url`` is
    empty where there are no pages: then the message has no link. ``asking`` is the name of who
    asks to close it.
    """

    change: IncidentChange
    registry: Registry
    language: Language
    now: float
    public_url: str = ""
    going: ClaimNote | None = None
    closed: float | None = None
    asking: str = ""

    def text(self, message: str, /, **values: object) -> str:
        """The message, with ``{tank}`` and ``{time}`` (of the change) filled in as well."""
        known = {"tank": self.subject, "time": self.when(self.change.at)}
        return self.language.text(message, **(known | values))

    def figure(self, name: str) -> float | None:
        """A figure of the change, None when it is not a number."""
        value = self.change.figures.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value)

    def when(self, at: float) -> str:
        """A moment as of now."""
        return self.language.moment(at, self.now)

    @property
    def subject(self) -> str:
        """The tank's name, else its id; for a network the site that it serves, else its id."""
        change = self.change
        if change.tank is not None:
            row = self.registry.tank(change.tank)
            return short((row.name if row else "") or change.tank)
        sites = {row.site for tank in tanks_behind(self) if (row := self.registry.tank(tank))}
        if len(sites) == 1:
            (site_id,) = sites
            site = self.registry.site(site_id)
            return short((site.name if site else "") or site_id)
        return short(change.uplink or "-")


def short(name: str) -> str:
    """A name of at most 40 characters."""
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1].rstrip() + "…"


def tanks_behind(alert: Alert) -> set[str]:
    """The tanks whose devices share the uplink of the change."""
    newest = [rows[-1] for rows in alert.registry.devices.values()]
    return {
        alert.registry.tank_of(device.id, alert.now) or device.tank
        for device in newest
        if device.uplink == alert.change.uplink and not device.revoked
    }


_OVER = {
    "refilled": mark("it is refilled"),
    "found": mark("it was found again"),
    "repaired": mark("it is repaired"),
    "moved_by_us": mark("we moved it"),
    "mistaken": mark("it was nothing"),
    "there": mark("it is there"),
}
_STAYS_OPEN = {
    "unconfirmed": mark("Nobody agreed that it is over: it stays open."),
    "evidence": mark("Somebody said that it is over, but it was touched since: it stays open."),
    "kept": mark("It is not over after all."),
}


def closing_lines(alert: Alert) -> list[str]:
    """That somebody asks to close it and who may agree, or that such a request just ended."""
    figures, until = alert.change.figures, alert.figure("closing_until")
    why = figures.get("closing")
    if alert.change.change == "closed":
        return []
    if why and until is not None:
        name, over = short(alert.asking) or alert.text("Somebody"), _OVER.get(str(why))
        said = alert.text("{name} says: {what}.", name=name, what=alert.text(over)) if over else (
            alert.text("{name} says that it is over.", name=name)
        )  # fmt: skip
        agree = alert.text("A second person agrees by {time}, or it stays open.",
                           time=alert.when(until))  # fmt: skip
        return [said, agree]
    ended = _STAYS_OPEN.get(str(figures.get("closing_ended")))
    is_new = alert.figure("closing_ended_at") == alert.change.received
    return [alert.text(ended)] if ended and is_new else []


def claim_lines(alert: Alert) -> list[str]:
    """Who goes and when, or when the incident ended; then the link."""
    if alert.closed is not None:
        ended = alert.text("It ended at {time}.", time=alert.when(alert.closed))
        return [ended, *link(alert, "See")]
    if alert.going is None and alert.change.kind in WATER_KINDS:
        return [alert.text("Nobody is going yet."), *link(alert, "Go")]
    if alert.going is None:
        return [alert.text("Nobody is looking yet."), *link(alert, "See")]
    name, eta = short(alert.going.name) or alert.text("Somebody"), alert.going.eta
    going = alert.text("{name} is going.", name=name)
    if eta is not None and eta > alert.now:
        going = alert.text("{name} is going, there about {time}.", name=name, time=alert.when(eta))
    return [going, *link(alert, "See")]


def link(alert: Alert, verb: str) -> list[str]:
    """``Go: …`` to claim the incident, or ``See: …``; nothing where there are no pages."""
    if not alert.public_url:
        return []
    url = alert.public_url.rstrip("/")
    if verb == "Go":
        return [alert.text("Go: {link}", link=f"{url}/c/{alert.change.id}")]
    return [alert.text("See: {link}", link=f"{url}/i/{alert.change.id}")]

"""What the words of one alert rest on."""

from dataclasses import dataclass

from gateway.alerts.language import Language
from gateway.domain.outputs import IncidentChange
from gateway.domain.registry import Registry

_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class ClaimNote:
    """Who has claimed the incident, and when they will be there (Unix s).

    ``name`` is what others see, empty where it is not known.
    """

    name: str
    eta: float | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """Everything that the words of one alert rest on. Times are Unix s.

    ``closed`` is when the incident had ended, if it had by the time of sending. ``public_url``
    is empty where people have no pages: then there is no link.
    """

    change: IncidentChange
    registry: Registry
    language: Language
    now: float
    public_url: str = ""
    going: ClaimNote | None = None
    closed: float | None = None

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

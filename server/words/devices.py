"""The page of devices in words: where each is, its state, how it reaches us, what looks wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gateway.devices.faults import DeviceFault
from gateway.devices.state import DesiredState
from gateway.domain.registry import Device
from gateway.journal.counters import Mark
from gateway.mqtt.certificates import facts
from gateway.settings import Settings
from server.views.snapshot import Snapshot, TankView
from server.words import faults, sensors
from server.words.language import PageLanguage
from server.words.page import IconText


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """One device; ``order`` is smaller for those that need a look sooner."""

    id: str
    tank: str
    href: str
    icon: str
    state: str
    details: str
    command: str
    oddities: Sequence[sensors.Odd]
    hardware: str
    age: Markup
    order: int

    @property
    def is_sick(self) -> bool:
        """Whether its state needs somebody."""
        return self.order < 2

    @property
    def looks_wrong(self) -> bool:
        """Whether an oddity needs somebody."""
        return any(one.urgent for one in self.oddities)


@dataclass(frozen=True, slots=True)
class OutageLine:
    """One network that is out."""

    href: str
    text: str
    uplink: str


def line(
    language: PageLanguage, snapshot: Snapshot, device: Device, marks: Sequence[Mark],
    commanded: DesiredState | None, reported: Sequence[DeviceFault] = (),
) -> DeviceLine:  # fmt: skip
    """One device, with what came under its name, the state of its last command and what it
    ``reported`` of its own parts."""
    view, now = snapshot.tank(device.tank), snapshot.now
    oddities = [*faults.lines(language, reported, now), *sensors.odd(language, marks, now)]
    tank, href, details, age, order = device.tank, "", "", Markup(""), 3
    if view is None or device.revoked:
        text = language.text("Revoked.") if device.revoked else language.text("No tank.")
        state = IconText(text, "unknown")
    else:
        tank, href, order = view.name, f"/tanks/{view.tank.id}", _order(view)
        state, details = (
            sensors.state(language, view, now),
            sensors.details(language, view.now, now),
        )
        if view.now.received is not None:
            age = language.aged(view.now.received, now)
    hardware = [device.sensor, device.uplink, language.text("unsigned") if device.unsigned else ""]
    return DeviceLine(
        id=device.id, tank=tank, href=href, icon=state.icon, state=str(state.text),
        details=details, command=sensors.command_state(language, commanded), oddities=oddities,
        hardware=", ".join(part for part in hardware if part), age=age, order=order,
    )  # fmt: skip


def _order(view: TankView) -> int:
    if view.now.presence == "silent" or view.now.state == "fault":
        return 0
    low = view.now.battery_mv is not None and view.now.battery_mv < sensors.LOW_MV
    return 1 if low or view.now.presence == "late" or view.now.received is None else 2


def ordered(lines: Sequence[DeviceLine]) -> list[DeviceLine]:
    """Those that need a look first, then by tank."""
    return sorted(lines, key=lambda one: (one.order, not one.looks_wrong, one.tank))


def heading(language: PageLanguage, lines: Sequence[DeviceLine]) -> str:
    """How many devices need a look."""
    sick = sum(1 for one in lines if one.is_sick or one.looks_wrong)
    if not lines:
        return language.text("No devices yet")
    if sick:
        return language.plural("{n} device to look at", "{n} devices to look at", sick)
    return language.text("Every device keeps its promise")


def outages(language: PageLanguage, snapshot: Snapshot) -> list[OutageLine]:
    """The networks that are out, with their incident."""
    return [
        OutageLine(
            f"/incidents/{one.id}",
            language.text("Network out since {time}", time=language.moment(one.at, snapshot.now)),
            one.uplink,
        )
        for one in snapshot.incidents
        if one.uplink is not None
    ]


def connection(language: PageLanguage, settings: Settings, now: float) -> list[str]:
    """What is wrong with the way from the devices to the broker; nothing where it has TLS."""
    found = [
        language.text(
            "Devices may connect without TLS at {where}: what they send can be read on the way. "
            "Your operator changes that with “noria certificates make”.",
            where=where,
        )
        for where in facts.plain(settings)
    ]
    served = facts.noted(settings)
    if (
        served is not None
        and served.ends - now < facts.WARN_DAYS * 86_400
        and (facts.warning(settings, now))
    ):
        found.append(
            language.text(
                "The broker’s certificate is not renewed. From {day} devices refuse the broker. "
                "Your operator sees why with “noria status”.",
                day=language.date(served.ends, "EEE d MMM"),
            )
        )
    return found

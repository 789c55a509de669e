"""Sentences about devices: state, battery, signal, the next message, commands, oddities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.devices.state import DesiredState
from gateway.domain.outputs import TankNow
from gateway.domain.registry import Plan
from gateway.journal.counters import Mark
from server.views.incident import Incident
from server.views.snapshot import Snapshot, TankView
from server.words import incident as incident_words
from server.words.language import PageLanguage, mark
from server.words.page import IconText
from server.words.refusals import refusal

LOW_MV = 3500
"""Below this a single Li-ion cell has little left (a node sends only events below 3400 mV)."""
FAIR_DBM = -75
POOR_DBM = -85

PLANS: Mapping[str, str] = {
    "move": mark("We move {tank}. Alerts held."),
    "cleaning": mark("{tank} is cleaned. Water alerts held."),
    "eviction_risk": mark("Eviction feared at {tank}. Every sign counts."),
}
PLAN_ICONS: Mapping[str, str] = {"move": "moved", "cleaning": "low", "eviction_risk": "calendar"}


FRESH_S = 7 * 86400.0
"""How long after its last occurrence an oddity still needs a look."""

_ODD: Mapping[str, tuple[str, bool]] = {
    "fork": (
        mark("A number came again with other contents, last {time} ({n} in all): a second "
             "device speaks under this name, or its counters went back."),
        True,
    ),
    "era": (
        mark("It began to count anew, last {time} ({n} in all): it lost its memory, or was "
             "replaced."),
        True,
    ),
    "gap": (
        mark("It let go of messages that had not come here, last {time} ({n} in all): its memory "
             "was full, or this machine was set back to an older state."),
        True,
    ),
    "flood": (
        mark("It sends far more than any device should, last {time} ({n} dropped in all). It "
             "still holds what was dropped."),
        True,
    ),
    "old_key": (
        mark("Refused, made with its former key: last {time} ({n} in all)."),
        True,
    ),
    "bad_mac": (
        mark("Refused, not made with its key: last {time} ({n} in all)."),
        False,
    ),
    "revoked": (
        mark("Refused since it was revoked: last {time} ({n} in all)."),
        False,
    ),
    "oversize": (
        mark("Refused as too long: last {time} ({n} in all)."),
        False,
    ),
    "flagged": (
        mark("Not readable in full, kept as it came: last {time} ({n} in all)."),
        False,
    ),
}  # fmt: skip
"""The sentence of each oddity, and whether it needs a look."""


@dataclass(frozen=True, slots=True)
class Odd:
    """One oddity of a device in a sentence."""

    text: str
    urgent: bool


def odd(language: PageLanguage, marks: Sequence[Mark], now: float) -> list[Odd]:
    """The oddities of a device, those that need a look first."""
    found = [
        Odd(
            language.text(_ODD[one.what][0], n=one.count, time=language.moment(one.last, now)),
            _ODD[one.what][1] and now - one.last < FRESH_S,
        )
        for one in marks
        if one.what in _ODD
    ]
    return sorted(found, key=lambda one: not one.urgent)


@dataclass(frozen=True, slots=True)
class Sick:
    """One sensor, or one network, that somebody should look at."""

    name: str
    icon: str
    text: str
    href: str


def sick(language: PageLanguage, snapshot: Snapshot) -> list[Sick]:
    """Open incidents of sensors and networks, and sensors that are silent or faulty without one.

    Outages are first. A sensor that fell silent as its tank was moved is part of that incident.
    """
    own = [
        i
        for i in snapshot.incidents
        if i.kind in ("network_out", "silent", "battery", "sensor_fault", "clone")
    ]
    listed = {i.tank for i in own}
    found = [_sick(language, snapshot, i) for i in own]
    found += [
        _unwell(language, view, snapshot.now)
        for view in snapshot.tanks
        if view.tank.id not in listed and view.live and _is_unwell(view)
    ]
    return sorted(found, key=lambda s: s.icon != "network")


def _is_unwell(view: TankView) -> bool:
    is_silent = view.now.presence == "silent" and view.network is None
    return is_silent or view.now.state == "fault"


def _unwell(language: PageLanguage, view: TankView, now: float) -> Sick:
    shown = state(language, view, now)
    href = f"/tanks/{view.tank.id}" if view.incident is None else f"/incidents/{view.incident.id}"
    return Sick(view.name, shown.icon, str(shown.text), href)


def _sick(language: PageLanguage, snapshot: Snapshot, incident: Incident) -> Sick:
    kind = incident_words.KINDS[incident.kind]
    href = f"/incidents/{incident.id}"
    if incident.uplink is not None:
        n = len([v for v in snapshot.behind(incident.uplink) if v.network is incident])
        behind = language.plural("{n} tank behind it.", "{n} tanks behind it.", n)
        word = incident_words.word(language, incident, snapshot.now)
        return Sick(incident.uplink, kind.icon, f"{word}. {behind}", href)
    view = snapshot.tank(incident.tank or "")
    text = incident_words.word(language, incident, snapshot.now) + "."
    if incident.kind == "battery" and view is not None and view.now.battery_mv is not None:
        text += " " + battery(language, view.now.battery_mv)
    return Sick(view.name if view else incident.tank or "", kind.icon, text, href)


def battery(language: PageLanguage, mv: int) -> str:
    """``Battery 3.98 V.``, with a word when it is low."""
    volts = language.volts(mv)
    if mv < LOW_MV:
        return language.text("Battery low, {volts}.", volts=volts)
    return language.text("Battery good, {volts}.", volts=volts)


def signal(language: PageLanguage, dbm: int) -> str:
    """Good, fair or weak."""
    if dbm >= FAIR_DBM:
        return language.text("Signal good.")
    return language.text("Signal fair.") if dbm >= POOR_DBM else language.text("Signal weak.")


def state(language: PageLanguage, view: TankView, now: float) -> IconText:
    """A sensor's state: working, late, silent, faulty, or without a message so far."""
    known = view.now
    if known.received is None:
        return IconText(language.text("Not heard yet."), "unknown")
    if known.presence == "silent":
        since = language.moment(known.presence_since or known.received, now)
        return IconText(language.text("Silent since {time}.", time=since), "silent")
    if known.state == "fault":
        return IconText(language.text("Sensor fault."), "fault")
    if known.presence == "late":
        return IconText(language.text("Late."), "silent")
    return IconText(language.text("Working."), "chip")


def details(language: PageLanguage, known: TankNow, now: float) -> str:
    """Battery, signal and the time of the next message, as far as they are known."""
    parts: list[str] = []
    if known.auth == "unsigned":
        parts.append(language.text("Third-party sensor: its figures are not signed."))
    if known.battery_mv is not None:
        parts.append(battery(language, known.battery_mv))
    if known.rssi_dbm is not None:
        parts.append(signal(language, known.rssi_dbm))
    if known.due is not None and known.presence != "silent":
        due = language.moment(known.due, now)
        ahead, past = mark("Speaks again by {time}."), mark("Should have spoken by {time}.")
        text = ahead if known.due > now else past
        parts.append(language.text(text, time=due))
    return " ".join(parts)


def command_state(language: PageLanguage, desired: DesiredState | None) -> str:
    """The state of a device's last command; empty without one."""
    if desired is None:
        return ""
    if desired.progress == "waiting":
        return language.text("Was told something, has not answered yet.")
    if desired.progress == "loading" and desired.answer and desired.answer.code == "tls":
        return language.text("Tries the broker’s new port and certificate.")
    if desired.progress == "loading":
        return language.text("New firmware is on its way.")
    if desired.progress == "refused" and desired.answer is not None:
        reason = refusal(language, desired.answer.code)
        return language.text("Did not take what it was told: {reason}.", reason=reason)
    return language.text("What it was told is in force.")


@dataclass(frozen=True, slots=True)
class Planned:
    """One plan: what happens when."""

    icon: str
    when: str
    what: str


def plan(language: PageLanguage, snapshot: Snapshot, row: Plan) -> Planned:
    """A planned move, cleaning or risk."""
    view = snapshot.tank(row.tank)
    day = language.date(row.start, "EEE d MMM")
    same_day = language.date(row.end, "EEE d MMM") == day
    end = language.clock(row.end) if same_day else language.moment(row.end, row.start)
    what = language.text(PLANS[row.kind], tank=view.name if view else row.tank)
    return Planned(PLAN_ICONS[row.kind], f"{day}, {language.clock(row.start)}–{end}", what)

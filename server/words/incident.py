"""Sentences about an incident: its kind, what happened, who goes, how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from gateway.domain.outputs import WATER_KINDS, Span
from server.views.incident import Incident
from server.words.language import PageLanguage, mark


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of incident is shown: its words, its icon, the tone of its block.

    ``brief`` is the word without a time, where the word has one.
    """

    word: str
    icon: str
    tone: str
    heading: str
    brief: str = ""

    @property
    def short(self) -> str:
        """The word without a time."""
        return self.brief or self.word


KINDS: Mapping[str, Kind] = {
    "low": Kind(mark("Low"), "low", "low", mark("{tank} is low")),
    "critical": Kind(mark("Nearly empty"), "critical", "dry", mark("{tank} is nearly empty")),
    "empty": Kind(
        mark("Empty since {time}"),
        "empty",
        "dry",
        mark("{tank} is empty"),
        mark("Empty"),
    ),
    "seized": Kind(
        mark("May have been taken"), "taken", "taken", mark("{tank} moved and stopped answering")
    ),
    "unknown": Kind(mark("Moved, cause not known"), "taken", "taken", mark("{tank} was moved")),
    "drained": Kind(mark("Losing water fast"), "fast", "dry", mark("{tank} lost water fast")),
    "slashed": Kind(mark("May have been cut"), "fast", "dry", mark("{tank} may have been cut")),
    "lid_open": Kind(
        mark("Lid open since {time}"),
        "lid",
        "low",
        mark("{tank}: the lid is open"),
        mark("Lid open"),
    ),
    "access_blocked": Kind(
        mark("Way in may be blocked"), "critical", "low", mark("{tank} may be out of reach")
    ),
    "silent": Kind(
        mark("Silent since {time}"), "silent", "", mark("{tank} is silent"), mark("Silent")
    ),
    "battery": Kind(
        mark("Battery nearly flat"), "battery", "", mark("{tank}: battery nearly flat")
    ),
    "sensor_fault": Kind(
        mark("Sensor fault"), "fault", "", mark("{tank}: the sensor does not work")
    ),
    "network_out": Kind(
        mark("Network out since {time}"),
        "network",
        "",
        mark("Network out at {site}"),
        mark("Network out"),
    ),
    "moved_by_us": Kind(mark("Moved by us"), "moved", "", mark("{tank} was moved by us")),
    "clone": Kind(
        mark("Two devices answer as one"), "fault", "", mark("{tank}: two devices answer as one")
    ),
}

_WAS: Mapping[str, str] = {
    "low": mark("{tank} was low"),
    "critical": mark("{tank} was nearly empty"),
    "empty": mark("{tank} was empty"),
}
"""The headings of closed incidents whose words would be taken for the state now."""

_ORDER = ("seized", "unknown", "empty", "drained", "slashed", "critical", "lid_open", "low")

_CLOSED: Mapping[str, str] = {
    "refilled": mark("Refilled"),
    "speaks": mark("Heard again"),
    "charged": mark("Charged again"),
    "network_out": mark("The network was out"),
    "believable": mark("The sensor works again"),
    "person": mark("Closed by a person"),
    "moved_by_us": mark("We moved it"),
    "seen_there": mark("Seen in its place"),
    "calm": mark("Nothing more happened"),
    "lid_closed": mark("The lid is closed"),
    "rebuilt": mark("Being worked out again"),
    "found": mark("Found again"),
    "repaired": mark("Repaired"),
    "mistaken": mark("It was nothing"),
    "other": mark("Closed by a person"),
    "over": mark("It is over"),
}


def word(language: PageLanguage, incident: Incident, now: float) -> str:
    """The state in words: ``Nearly empty``, ``Empty since 15:21``; of a closed one, ``Over``."""
    if not incident.is_open and incident.kind in _WAS:
        return language.text("Over")
    since = incident.number("empty_since") or incident.number("silent_since") or incident.at
    return language.text(KINDS[incident.kind].word, time=language.moment(since, now))


def heading(language: PageLanguage, incident: Incident, tank: str, site: str) -> str:
    """The sentence that is the page's first line."""
    if incident.kind == "seized" and incident.number("silent_since") is None:
        return language.text("{tank} was moved", tank=tank)
    if not incident.is_open and incident.kind in _WAS:
        return language.text(_WAS[incident.kind], tank=tank)
    return language.text(KINDS[incident.kind].heading, tank=tank, site=site)


def what(language: PageLanguage, incident: Incident, now: float) -> Markup:
    """What happened and how much the tank held, with ages."""
    if incident.kind in WATER_KINDS:
        return _water(language, incident, now)
    parts = [_happened(language, incident, now)]
    litres = incident.number("volume_l")
    if litres is not None and incident.kind not in ("battery", "clone"):
        parts.append(language.rich("It held about {litres}.", litres=language.litres(litres)))
    return Markup(" ").join(parts)


def _water(language: PageLanguage, incident: Incident, now: float) -> Markup:
    if not incident.is_open:
        return _was(language, incident)
    since = incident.number("empty_since")
    if incident.kind == "empty" and since is not None:
        dry = language.lasting(now - since)
        return language.rich("No water at the tap for {time}.", time=dry)
    litres = incident.number("volume_l") or 0.0
    text = language.rich("**About {litres}**.", litres=language.litres(litres))
    return _with_forecast(language, text, incident.span("empty"), now)


def _was(language: PageLanguage, incident: Incident) -> Markup:
    """The level when a water incident closed: its figures are those of that moment."""
    litres = incident.number("volume_l")
    if litres is None:
        return Markup("")
    held = language.litres(litres)
    return language.rich("It held **about {litres}** when this ended.", litres=held)


def _with_forecast(language: PageLanguage, text: Markup, span: Span | None, now: float) -> Markup:
    if span is None:
        return text
    return text + " " + language.rich("Empty {when}.", when=language.between(span, now))


def _happened(language: PageLanguage, incident: Incident, now: float) -> Markup:
    at, age = language.moment(incident.at, now), language.aged(incident.at, now)
    silent = incident.number("silent_since")
    if incident.kind in ("seized", "unknown") and silent is not None:
        return language.rich("Moved at {time}, {age}, then stopped answering.", time=at, age=age)
    if incident.kind in ("drained", "slashed"):
        lost = incident.number("lost_l")
        if lost is not None:
            text = "Lost about {litres} from {time} on, {age}."
            return language.rich(text, litres=language.litres(lost), time=at, age=age)
        return language.rich("The level fell fast from {time} on, {age}.", time=at, age=age)
    if incident.kind in ("seized", "unknown", "moved_by_us"):
        return language.rich("Moved at {time}, {age}.", time=at, age=age)
    return language.rich("Since {time}, {age}.", time=at, age=age)


def who(language: PageLanguage, incident: Incident, person: str | None, now: float) -> str:
    """Whether somebody goes."""
    looks = incident.kind not in WATER_KINDS
    if incident.claimed_by is None:
        return (
            language.text("Nobody is looking yet.")
            if looks
            else language.text("Nobody is going yet.")
        )
    name = person or language.text("Somebody")
    if incident.claim_eta is None or incident.claim_eta < now:
        return language.text("{name} is going.", name=name)
    return language.text(
        "{name} is going, there about {time}.",
        name=name,
        time=language.moment(incident.claim_eta, now),
    )


def network_note(language: PageLanguage, hidden: int) -> str:
    """What an outage means for the ``hidden`` tanks behind it."""
    unknown = language.text("The tanks are unknown, not empty.")
    if hidden < 2:
        return unknown
    one = language.text("One fault, not {n}.", n=language.number_word(hidden))
    return f"{one} {unknown}"


def urgency(incident: Incident) -> int:
    """Its place among open incidents: smaller comes first."""
    return _ORDER.index(incident.kind) if incident.kind in _ORDER else len(_ORDER)


def closed(language: PageLanguage, incident: Incident, now: float) -> str:
    """How and when it ended."""
    if incident.closed is None:
        return ""
    why = language.text(_CLOSED.get(incident.closed_why or "", _CLOSED["over"]))
    return f"{why}, {language.moment(incident.closed, now)}."


def closed_because(language: PageLanguage, why: str) -> str:
    """How it ended, for a line of its history."""
    return language.text(_CLOSED.get(why, _CLOSED["over"])) + "."

"""An incident's history in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.alerts.closing import Request
from server.views.incident import Step
from server.views.snapshot import Snapshot
from server.words import incident as incident_words
from server.words.language import PageLanguage, mark

_ICONS: Mapping[str, str] = {
    "opened": "flag", "updated": "unknown", "closed": "check", "told": "bell", "claimed": "van",
    "handed_over": "van", "released": "van", "closed_by_person": "check", "seen": "eye",
    "close_asked": "clock", "kept_open": "flag",
}  # fmt: skip
SEEN: Mapping[str, str] = {
    "there": mark("It is there"),
    "gone": mark("It is gone"),
    "damaged": mark("It is damaged"),
    "empty": mark("It is empty"),
    "blocked": mark("I cannot get there"),
    "moved_by_us": mark("We moved it"),
}
CLOSING: Mapping[str, str] = {
    "refilled": mark("Refilled"),
    "found": mark("Found again"),
    "repaired": mark("Repaired"),
    "moved_by_us": mark("We moved it"),
    "mistaken": mark("It was nothing"),
    "other": mark("Something else"),
}
_ENDED: Mapping[str, str] = {
    "unconfirmed": mark("Nobody agreed within an hour that it is over: it stays open."),
    "evidence": mark("Something new was measured: it stays open."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of *So far*: ``at`` in Unix s."""

    at: float
    time: str
    icon: str
    text: str


def lines(language: PageLanguage, steps: Sequence[Step], snapshot: Snapshot) -> list[Line]:
    """The newest first, without updates that keep the kind."""
    found: list[Line] = []
    kind = ""
    for step in steps:
        changed = step.data.get("kind") != kind
        kind = str(step.data.get("kind") or kind)
        ended = _ENDED.get(str(step.data.get("closing_ended")))
        if ended is not None and not changed:
            time = language.moment(step.time, snapshot.now, seconds=True)
            found.append(Line(step.time, time, "flag", language.text(ended)))
        if step.what == "updated" and not changed:
            continue
        time = language.moment(step.time, snapshot.now, seconds=True)
        icon = _ICONS.get(step.what, "clock")
        found.append(Line(step.time, time, icon, _text(language, step, snapshot)))
    return found[::-1]


def _text(language: PageLanguage, step: Step, snapshot: Snapshot) -> str:
    name = snapshot.person(step.person) or language.text("Somebody")
    match step.what:
        case "claimed":
            return _claimed(language, step, name, snapshot.now)
        case "handed_over":
            to = snapshot.person(str(step.data.get("to"))) or language.text("somebody else")
            return language.text("{name} hands over to {to}.", name=name, to=to)
        case "released":
            return language.text("{name} is not going after all.", name=name)
        case "seen":
            seen = language.text(SEEN.get(str(step.data.get("seen")), SEEN["there"]))
            return language.text("{name} is there: {what}.", name=name, what=seen.lower())
        case "closed_by_person":
            why = language.text(CLOSING.get(str(step.data.get("why")), CLOSING["other"]))
            return language.text("{name} closed it: {what}.", name=name, what=why.lower())
        case "close_asked":
            what = _why(language, str(step.data.get("why")))
            return language.text(
                "{name} says that it is over: {what}. Somebody else has to agree.",
                name=name, what=what,
            )  # fmt: skip
        case "kept_open":
            return language.text("{name} keeps it open.", name=name)
        case "told":
            return _notified(language, step)
        case _:
            return _changed(language, step)


def asked(language: PageLanguage, snapshot: Snapshot, request: Request) -> str:
    """Who says that an incident is over, and until when somebody else may agree."""
    return language.text(
        "{name} says that it is over: {what}. A second person or a coordinator has to agree "
        "by {time}, or it stays open.",
        name=snapshot.person(request.by) or language.text("Somebody"),
        what=_why(language, request.why),
        time=language.moment(request.until, snapshot.now),
    )


def _why(language: PageLanguage, why: str) -> str:
    known = CLOSING if why in CLOSING else SEEN
    return language.text(known.get(why, CLOSING["other"])).lower()


def _claimed(language: PageLanguage, step: Step, name: str, now: float) -> str:
    eta = step.data.get("eta")
    if not isinstance(eta, int | float):
        return language.text("{name} is going.", name=name)
    time = language.moment(float(eta), now)
    return language.text("{name} is going, there about {time}.", name=name, time=time)


def _notified(language: PageLanguage, step: Step) -> str:
    n = step.data.get("channels", 1)
    return language.plural("Told on {n} channel.", "Told on {n} channels.", int(n))


def _changed(language: PageLanguage, step: Step) -> str:
    kind = incident_words.KINDS.get(str(step.data.get("kind")))
    if step.what == "closed":
        return incident_words.closed_because(language, str(step.data.get("why") or ""))
    word = language.text(kind.short).lower() if kind else ""
    if step.what == "opened":
        return language.text("Noticed: {what}.", what=word) if word else language.text("Noticed.")
    return language.text("Now it looks like: {what}.", what=word)

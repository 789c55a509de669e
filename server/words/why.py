"""The page *why this was said* in words: the statement, the terms, the changes of mind."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain.outputs import Because
from server.views import why
from server.views.incident import Incident
from server.views.snapshot import Snapshot
from server.views.why import Around, Judgement, Turn
from server.words import causes as cause_words
from server.words import incident as incident_words
from server.words import incident_page, rules
from server.words.language import PageLanguage, mark
from server.words.signs import ReadingRow, Sign, row, signs

_MINUS = "\u2212"
_LITTLE, _CLEAR, _STRONG = 0.5, 2.0, 4.0
"""Natural log-odds: 2 is about 7 to 1, 4 about 55 to 1."""


@dataclass(frozen=True, slots=True)
class TermLine:
    """One term: its sentence, the verdict it supports and how strongly, its log-odds."""

    text: str
    icon: str
    strength: str
    weight: str


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one basis, the strongest first."""

    basis: str
    icon: str
    title: str
    source: str
    terms: list[TermLine]


@dataclass(frozen=True, slots=True)
class TurnLine:
    """One change of mind: what was believed, from what it changed, by which terms."""

    time: str
    icon: str
    text: str
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class WhyPage:
    """Everything that the page shows."""

    id: str
    back: str
    name: str
    statement: str
    rule: str
    notes: list[str]
    terms: list[Terms]
    verdict: str
    """The verdict that the weights are about; empty where nothing was weighed."""
    not_found: list[str]
    changes: list[str]
    turns: list[TurnLine]
    signs: list[Sign]
    rows: list[ReadingRow]
    no_readings: str
    """Why there is no table of readings; empty where there is one."""


def page(
    language: PageLanguage, snapshot: Snapshot, incident: Incident,
    judgements: Sequence[Judgement], around: Around,
) -> WhyPage:  # fmt: skip
    """The page of one incident; ``language`` has the time zone of its site."""
    now, last = snapshot.now, why.newest(judgements, incident)
    name = incident_page.subject(snapshot, incident)
    rows = [row(language, r, now) for r in why.used(around.readings or (), incident.at)]
    return WhyPage(
        id=incident.id, back=f"/incidents/{incident.id}", name=name,
        statement=statement(language, incident, last, now), rule=rules.rule(language, last),
        notes=_notes(language, incident, judgements), terms=terms(language, last, now),
        verdict=_verdict(language, last) if last.is_weighed else "",
        not_found=rules.not_found(language, last),
        changes=rules.would_change(language, last) if incident.is_open else [],
        turns=[_turn(language, one, now) for one in reversed(why.turns(judgements))],
        signs=signs(language, snapshot, incident, around), rows=rows,
        no_readings="" if rows else _no_readings(language, incident, around),
    )  # fmt: skip


def statement(language: PageLanguage, incident: Incident, last: Judgement, now: float) -> str:
    """One sentence: what is said, how certain, since when, and when it was decided."""
    what = language.text(incident_words.KINDS[incident.kind].short)
    chance, since = language.chance(incident.probability), language.moment(incident.at, now)
    if incident.closed is not None:
        text = language.text(
            "Said last: “{what}”, {chance}, from {time} on.",
            what=what, chance=chance, time=since,
        )  # fmt: skip
        return f"{text} {incident_words.closed(language, incident, now)}"
    return language.text(
        "Said now: “{what}”, {chance}, since {time}. Decided {decided}.",
        what=what, chance=chance, time=since, decided=language.moment(last.time, now),
    )  # fmt: skip


def _notes(
    language: PageLanguage, incident: Incident, judgements: Sequence[Judgement]
) -> list[str]:
    notes: list[str] = []
    if incident.learned_late:
        notes.append(language.text("We learned of it late."))
    if incident.auth == "unsigned":
        notes.append(language.text("The figures come from a third-party sensor: not signed."))
    if not judgements:
        notes.append(language.text("Its earlier judgements were not kept."))
    return notes


def _verdict(language: PageLanguage, judgement: Judgement) -> str:
    leader = judgement.leader
    if leader == "unknown":
        return language.text("none of the known causes")
    return language.text(cause_words.VERDICTS[leader])


def terms(language: PageLanguage, judgement: Judgement, now: float) -> list[Terms]:
    """The terms by their basis, so that what was worked out never mixes with what was measured."""
    ordered = why.by_weight(judgement.because)
    bases = (
        ("measured", "measured", language.text("Measured"), language.text("by the sensor")),
        ("witnessed", "eye", language.text("Witnessed"), language.text("by somebody there")),
        ("inferred", "inferred", language.text("Inferred"), language.text("worked out by Noria")),
    )
    found = [
        Terms(*basis, [_term(language, judgement, b, now) for b in ordered if b.basis == basis[0]])
        for basis in bases
    ]
    return [part for part in found if part.terms]


def _term(language: PageLanguage, judgement: Judgement, because: Because, now: float) -> TermLine:
    text = cause_words.sentence(language, because, now)
    if not judgement.is_weighed:
        return TermLine(text, "", "", "")
    icon = "plus" if because.weight >= 0 else "minus"
    if abs(because.weight) < _LITTLE:
        icon = "steady"
    sign = "+" if because.weight >= 0 else _MINUS
    weight = f"{sign}{language.decimal(abs(because.weight))}"
    return TermLine(text, icon, _strength(language, judgement, because.weight), weight)


def _strength(language: PageLanguage, judgement: Judgement, weight: float) -> str:
    size, is_for = abs(weight), weight >= 0
    if size < _LITTLE:
        return language.text("says little either way")
    if size < _CLEAR:
        text = mark("speaks a little for “{what}”") if is_for else mark(
            "speaks a little against “{what}”"
        )  # fmt: skip
    elif size < _STRONG:
        text = mark("speaks for “{what}”") if is_for else mark("speaks against “{what}”")
    elif is_for:
        text = mark("speaks strongly for “{what}”")
    else:
        text = mark("speaks strongly against “{what}”")
    return language.text(text, what=_verdict(language, judgement))


def _turn(language: PageLanguage, turn: Turn, now: float) -> TurnLine:
    one, before = turn.judgement, turn.before
    time = language.moment(one.time, now, seconds=True)
    what, chance = _kind(language, one), language.chance(one.probability)
    if one.change == "closed":
        why_closed = str(one.figures.get("closed_why") or "")
        return TurnLine(time, "check", incident_words.closed_because(language, why_closed), [])
    if before is None:
        text = language.text("First said: “{what}”, {chance}.", what=what, chance=chance)
        return TurnLine(time, "flag", text, _reasons(language, turn, now))
    if one.kind != before.kind:
        text = language.text(
            "Changed from “{before}” to “{what}”, {chance}.",
            before=_kind(language, before), what=what, chance=chance,
        )  # fmt: skip
        return TurnLine(time, "unknown", text, _reasons(language, turn, now))
    old = language.chance(before.probability)
    if old == chance:
        text = language.text("Still “{what}”, {chance}.", what=what, chance=chance)
        return TurnLine(time, "clock", text, _reasons(language, turn, now))
    surer = one.probability > before.probability
    message = mark("More sure of “{what}”: {chance}, before {old}.") if surer else mark(
        "Less sure of “{what}”: {chance}, before {old}."
    )  # fmt: skip
    text = language.text(message, what=what, chance=chance, old=old)
    return TurnLine(time, "rising" if surer else "falling", text, _reasons(language, turn, now))


def _kind(language: PageLanguage, judgement: Judgement) -> str:
    return language.text(incident_words.KINDS[judgement.kind].short)


def _reasons(language: PageLanguage, turn: Turn, now: float) -> list[str]:
    """Which terms caused the change; of a first judgement, its strongest."""

    def text(because: Because) -> str:
        return cause_words.sentence(language, because, now)

    if turn.before is None:
        return [text(b) for b in turn.gained[:3]]
    found = [language.text("New: {what}", what=text(b)) for b in turn.gained]
    found += [language.text("No longer: {what}", what=text(b)) for b in turn.lost]
    return found + [language.text("Weighs otherwise: {what}", what=text(b)) for b in turn.moved]


def _no_readings(language: PageLanguage, incident: Incident, around: Around) -> str:
    if around.readings is None:
        return language.text(
            "The store of past readings does not answer. Nothing is lost; try again later."
        )
    if incident.tank is None:
        return language.text("A network has no level of its own; see the tanks behind it.")
    return language.text("No reading came in this time.")

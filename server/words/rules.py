"""Which rule said it, what was asked and not found, and what would change it, in sentences."""

from collections.abc import Mapping, Sequence

from gateway.domain.outputs import WATER_KINDS
from gateway.domain.watch.rules import power, removal
from server.views.why import Judgement
from server.words.language import PageLanguage, mark

_MOVED = ("seized", "drained", "slashed", "lid_open", "unknown", "moved_by_us")
_RULES: Mapping[str, str] = {
    "silent": mark(
        "Said because it broke its promise: nothing came for three times the time within which "
        "it had promised to speak."
    ),
    "battery": mark(
        "Said because its battery was under {low} in two messages, is about to fall under "
        "{spent}, or explains its silence best."
    ),
    "network_out": mark(
        "Said because sensors on one network fell silent together: one moment fits them all."
    ),
    "sensor_fault": mark(
        "Said because its readings cannot be believed: impossible, frozen, scattered or jumping."
    ),
    "clone": mark(
        "Said because two devices seem to use one name: their counters run side by side, or one "
        "number came twice."
    ),
    "access_blocked": mark(
        "Asked because a usual refill is missing while the water is low. No sensor shows a way: "
        "this is a question, not a finding."
    ),
}
_MOVED_RULE = mark(
    "Said because all signs together passed {tens} in 10, or because it was tilted, carried, or "
    "fell silent right after it was moved."
)
_QUESTIONS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("motion",), mark("Strong motion: none was reported.")),
    (("tilt",), mark("A tilt that stayed: none was reported.")),
    (("lid",), mark("The lid: not known to be open.")),
    (("fall_rate", "level_steady"), mark("A fall faster than use: none was found.")),
    (("silence_after_handling", "speaks_again"), mark("A broken promise after it: none so far.")),
    (
        ("planned_move", "planned_cleaning", "eviction_risk"),
        mark("A planned move, cleaning or feared eviction: none is entered for this time."),
    ),
    (("said_moved_by_us", "seen_there"), mark("Somebody there: nobody has reported yet.")),
)
"""For what was handled: a question is open when none of its terms was found."""
_FALL_QUESTIONS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("knock",), mark("A knock shortly before: none was reported.")),
    (
        ("neighbours_fall", "neighbours_steady"),
        mark("Other tanks at the same place: none sent enough readings at that time."),
    ),
)
_SILENCE_QUESTIONS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("battery_low", "battery_falling", "battery_good", "on_mains"),
        mark("The battery: nothing about it stood out."),
    ),
    (("signal_fading",), mark("A signal that faded before: none was seen.")),
    (
        ("neighbours_speaking", "neighbours_silent"),
        mark("Other sensors on the same network: none shows whether it works."),
    ),
    (("own_downtime",), mark("Our own downtime: we listened all the time.")),
)
_CHANGES: Mapping[str, tuple[str, ...]] = {
    "low": (mark("It ends when two readings one after the other are above the threshold again."),),
    "silent": (
        mark("It ends as soon as the sensor speaks."),
        mark("If the others on its network fall silent too, it becomes “Network out”."),
    ),
    "battery": (mark("It ends when the battery is good in two messages: {good} or more."),),
    "network_out": (mark("It ends as soon as a silent sensor of this network speaks."),),
    "sensor_fault": (mark("It ends when its readings can be believed again."),),
    "clone": (mark("It does not end by itself: somebody has to look at the device."),),
    "access_blocked": (mark("It ends with the next refill."),),
    "seized": (
        mark("If its sensor speaks again from its place, it becomes much less likely."),
    ),
    "unknown": (mark("If its sensor breaks its promise, “Taken away” becomes likelier."),),
    "drained": (mark("It ends with a refill of a fifth of the tank."),),
    "lid_open": (mark("It ends when the lid is closed, or when water comes in."),),
    "moved_by_us": (mark("It ends when nothing more happens for six hours."),),
}  # fmt: skip
_SAME = {"critical": "low", "empty": "low", "slashed": "drained"}
_SEEN = mark("If somebody sees the tank in its place, it is taken back.")
_PLANNED = mark("If a move or cleaning is entered for this time, it becomes “Moved by us”.")
_NEIGHBOURS = mark(
    "If backlog shows that tanks at the same place fell too, use becomes the likelier cause."
)


def rule(language: PageLanguage, judgement: Judgement) -> str:
    """The rule and its threshold, in one sentence."""
    kind = judgement.kind
    if kind in WATER_KINDS:
        return _water_rule(language, judgement)
    if kind == "battery":
        low, spent = language.volts(power.LOW_MV), language.volts(power.SPENT_MV)
        return language.text(_RULES[kind], low=low, spent=spent)
    if kind in _RULES:
        return language.text(_RULES[kind])
    return language.text(_MOVED_RULE, tens=round(10 * removal.ENOUGH))


def _water_rule(language: PageLanguage, judgement: Judgement) -> str:
    for because in judgement.because:
        threshold = because.values.get("threshold_l")
        if isinstance(threshold, int | float):
            return language.text(
                "Said because the level stayed under {threshold} for two readings one after the "
                "other.",
                threshold=language.quantity(threshold, "L"),
            )
    return language.text(
        "Said because the level stayed under the threshold of this tank for two readings one "
        "after the other."
    )


def not_found(language: PageLanguage, judgement: Judgement) -> list[str]:
    """What the watch asked of this kind, and found no evidence of."""
    terms = {because.term for because in judgement.because}
    questions: Sequence[tuple[tuple[str, ...], str]] = ()
    if judgement.kind in _MOVED and judgement.is_weighed:
        questions = _QUESTIONS
        if "fall_rate" in terms:
            questions = (*_QUESTIONS, *_FALL_QUESTIONS)
    elif judgement.kind == "silent":
        questions = _SILENCE_QUESTIONS
    return [language.text(text) for names, text in questions if not terms.intersection(names)]


def would_change(language: PageLanguage, judgement: Judgement) -> list[str]:
    """What would end it, or change it into something else."""
    kind, terms = judgement.kind, {because.term for because in judgement.because}
    good = language.volts(power.GOOD_MV)
    own = _CHANGES.get(_SAME.get(kind, kind), ())
    found = [language.text(text, good=good) for text in own]
    if kind in _MOVED and kind != "moved_by_us":
        if "seen_there" not in terms:
            found.append(language.text(_SEEN))
        if not terms & {"planned_move", "planned_cleaning"}:
            found.append(language.text(_PLANNED))
        if "fall_rate" in terms and "neighbours_fall" not in terms:
            found.append(language.text(_NEIGHBOURS))
    return found

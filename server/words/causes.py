"""The possible causes of an incident in words and bars, and the evidence term by term."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.domain.outputs import Because
from server.views.incident import Incident
from server.words.language import PageLanguage, mark

VERDICTS: Mapping[str, str] = {
    "seized": mark("Taken away"),
    "drained": mark("Drained"),
    "slashed": mark("Cut or holed"),
    "lid_open": mark("Lid opened"),
    "moved_by_us": mark("Moved by us"),
    "battery": mark("Battery flat"),
    "network_out": mark("Network out"),
    "sensor_fault": mark("Sensor fault"),
    "clone": mark("A second device"),
    "unknown": mark("Not known"),
}
_SHOWN = 0.02

_TERMS: Mapping[str, str] = {
    "motion": mark("Strong motion for {duration_s}."),
    "tilt": mark("Tilted {tilt_deg}° and stayed so."),
    "lid": mark("The lid was open for {open_s}."),
    "fall_rate": mark("It fell by {rate_lpm}, {times_all_taps} times what all taps let through."),
    "emptied": mark("It ran out to the last, about {left_l}."),
    "plateau": mark("The fall stopped at about {left_l}, as water does at the height of a cut."),
    "knock": mark("Something knocked it shortly before."),
    "fall_size": mark("It lost {pct} of the whole tank."),
    "beyond_use": mark(
        "It lost {times_most_in_an_hour} times the most that was drawn in as long on days known."
    ),
    "for_the_hour": mark("It lost {fall_l}; in these hours people usually draw about {usual_l}."),
    "use_unknown": mark("Too few days are known to compare it with ordinary use."),
    "sudden_plateau": mark(
        "The figure jumped between two readings and stayed, and nothing had touched the tank."
    ),
    "blind_zone": mark(
        "This sensor measures past the water when the tank is full, which would look the same."
    ),
    "echoes_disagree": mark("The sensor’s echoes disagreed with one another meanwhile."),
    "rise_undone": mark(
        "Shortly before, the figure had risen from about {left_l}, as a false echo does."
    ),
    "was_frozen": mark("The sensor had repeated one figure until then."),
    "neighbours_fall": mark("{tanks} at the same place fell too, as when many people draw."),
    "neighbours_steady": mark("{tanks} at the same place did not fall."),
    "level_steady": mark("The level did not fall."),
    "silence_after_handling": mark(
        "Last word {last_word_at}. It had promised the next within {promised_s}."
    ),
    "silence": mark("Last word {last_word_at}. It had promised the next within {promised_s}."),
    "battery_low": mark("The battery was low, {battery_mv}."),
    "battery_good": mark("The battery was good, {battery_mv}."),
    "battery_falling": mark(
        "The battery was falling: {battery_mv}, and {expected_mv} by the next message."
    ),
    "battery_charging": mark("The battery was being charged."),
    "battery_cold": mark("It was cold, {temperature_c} °C: a cold battery gives less."),
    "on_mains": mark("It runs on mains power."),
    "signal_fading": mark("The signal was fading."),
    "neighbours_speaking": mark("{devices} on the same network kept answering."),
    "neighbours_silent": mark("{devices} on the same network went silent too."),
    "silent_together": mark("{devices} on one network went silent together."),
    "own_downtime": mark("We ourselves did not listen for {seconds}."),
    "speaks_again": mark("It speaks again since {at}."),
    "clock_stepped": mark("Its clock was set by {stepped_s}."),
    "planned_move": mark("A move was planned."),
    "no_move_planned": mark("No move was planned."),
    "planned_cleaning": mark("Cleaning was planned."),
    "eviction_risk": mark("An eviction was feared for this time."),
    "said_moved_by_us": mark("One of us says: we moved it."),
    "seen_there": mark("One of us sees it in its place."),
    "two_eras_speak": mark("It speaks with {eras} counters that run side by side."),
    "number_used_twice": mark("One message number came twice, with different contents."),
    "level": mark("Measured {volume_l}; the threshold is {threshold_l}."),
    "round_missed": mark("Usual time of the refill: {at}. Late by {late_s}."),
    "stuck": mark("The same value {readings} times."),
    "no_believable_reading": mark("{readings} readings in a row that cannot be."),
}


@dataclass(frozen=True, slots=True)
class Cause:
    """One row of *What it could be*; ``width`` is the bar's length, 1-100."""

    verdict: str
    word: str
    chance: str
    width: int
    leads: bool


@dataclass(frozen=True, slots=True)
class Ground:
    """One line of *Why*: whether it points to the leading verdict, as an icon and in words."""

    text: str
    icon: str
    direction: str
    basis: str


def causes(language: PageLanguage, incident: Incident) -> list[Cause]:
    """The verdicts from 2 % on, the likeliest first, then *not known*."""
    ranked = sorted(incident.causes.items(), key=lambda item: -item[1])
    shown = [(v, p) for v, p in ranked if v != "unknown" and p >= _SHOWN and v in VERDICTS]
    shown.append(("unknown", incident.causes.get("unknown", 0.0)))
    leader = ranked[0][0] if ranked else "unknown"
    return [
        Cause(
            v, language.text(VERDICTS[v]), language.chance(p), max(round(p * 100), 1), v == leader
        )
        for v, p in shown
    ]


def is_judged(incident: Incident) -> bool:
    """Whether several causes were weighed, rather than one kind measured."""
    return sum(1 for p in incident.causes.values() if p >= _SHOWN) > 1


def grounds(language: PageLanguage, because: Sequence[Because], now: float) -> list[Ground]:
    """The evidence in sentences; a term without a sentence is shown by its name."""
    return [_ground(language, term, now) for term in because]


def _ground(language: PageLanguage, term: Because, now: float) -> Ground:
    text = sentence(language, term, now)
    if term.weight >= 0:
        return Ground(text, "plus", language.text("points to it"), term.basis)
    return Ground(text, "minus", language.text("points away"), term.basis)


def is_known(term: str) -> bool:
    """Whether a term has a sentence."""
    return term in _TERMS


def sentence(language: PageLanguage, because: Because, now: float) -> str:
    """One term as a sentence; a term without one by its name."""
    message = _TERMS.get(because.term)
    if message is None:
        return because.term.replace("_", " ")
    values = {name: _value(language, name, value, now) for name, value in because.values.items()}
    try:
        return language.text(message, **values)
    except KeyError:  # recorded by an older version without this figure
        return because.term.replace("_", " ")


def _value(language: PageLanguage, name: str, value: object, now: float) -> str:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return str(value)
    for ending, form in _FORMS:
        if name.endswith(ending):
            return form(language, float(value), now)
    return language.number(value)


_Form = Callable[[PageLanguage, float, float], str]
_FORMS: tuple[tuple[str, _Form], ...] = (
    ("rate_lpm", lambda s, v, now: s.quantity(v, "L/min")),
    ("pct", lambda s, v, now: s.percent(v)),
    ("times_most_in_an_hour", lambda s, v, now: s.decimal(v)),
    ("times_all_taps", lambda s, v, now: s.decimal(v)),
    ("_at", lambda s, v, now: s.moment(v, now, seconds=True)),
    ("at", lambda s, v, now: s.moment(v, now)),
    ("_s", lambda s, v, now: s.lasting(v)),
    ("seconds", lambda s, v, now: s.lasting(v)),
    ("threshold_l", lambda s, v, now: s.quantity(v, "L")),
    ("_l", lambda s, v, now: s.litres(v)),
    ("_mv", lambda s, v, now: s.volts(v)),
    ("tanks", lambda s, v, now: s.plural("{n} tank", "{n} tanks", int(v))),
    ("devices", lambda s, v, now: s.plural("{n} sensor", "{n} sensors", int(v))),
)

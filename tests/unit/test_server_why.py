"""Why an incident was said: strength in words, changes of mind, rules, and marks of the chart."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.domain.inputs import Reading
from gateway.domain.outputs import Because, IncidentKind
from gateway.domain.registry import Registry
from server.charts import around as chart
from server.views import why
from server.views.freshness import Freshness
from server.views.incident import Incident
from server.views.snapshot import Snapshot
from server.views.why import Around, Judgement
from server.words import causes, rules
from server.words import incident as incident_words
from server.words import why as words
from server.words.language import PageLanguage
from server.words.signs import Sign

NOW = 1_795_608_000.0
EN, FR = PageLanguage("en", "UTC"), PageLanguage("fr", "UTC")
MOTION = Because("motion", 4.2, "measured", {"duration_s": 41.0})
TILT = Because("tilt", 1.9, "measured", {"tilt_deg": 64})
NO_PLAN = Because("no_move_planned", -0.7, "inferred")
FIRST = Judgement(
    1, NOW - 900, "opened", "unknown", 0.6, {"unknown": 0.6, "seized": 0.4}, (NO_PLAN, MOTION), {}
)
INCIDENT = Incident(
    "gone1", "unknown", "canal-1", None, NOW - 900, NOW - 890, NOW - 60, None, None, 0.6,
    FIRST.causes, FIRST.because, {}, "mac", False, None, None, None, 0,
)  # fmt: skip


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def said(judgement: Judgement, language: PageLanguage = EN) -> list[tuple[str, str, str]]:
    return [
        (line.icon, plain(line.strength), line.weight)
        for part in words.terms(language, judgement, NOW)
        for line in part.terms
    ]


@pytest.mark.parametrize(
    ("weight", "icon", "strength"),
    [
        (0.49, "steady", "says little either way"),
        (0.5, "plus", "speaks a little for “Taken away”"),
        (1.99, "plus", "speaks a little for “Taken away”"),
        (2.0, "plus", "speaks for “Taken away”"),
        (3.99, "plus", "speaks for “Taken away”"),
        (4.0, "plus", "speaks strongly for “Taken away”"),
        (-0.49, "steady", "says little either way"),
        (-0.5, "minus", "speaks a little against “Taken away”"),
        (-2.0, "minus", "speaks against “Taken away”"),
        (-4.0, "minus", "speaks strongly against “Taken away”"),
    ],
)
def test_a_weight_is_said_in_words(weight: float, icon: str, strength: str) -> None:
    judgement = replace(
        FIRST, causes={"seized": 0.7, "unknown": 0.3}, because=(replace(TILT, weight=weight),)
    )
    ((found_icon, found, _),) = said(judgement)
    assert (found_icon, found) == (icon, strength)


def test_terms_are_by_basis_and_the_strongest_first_with_their_figure() -> None:
    judgement = replace(
        FIRST, causes={"seized": 0.7, "unknown": 0.3}, because=(NO_PLAN, TILT, MOTION)
    )
    parts = words.terms(EN, judgement, NOW)
    assert [part.basis for part in parts] == ["measured", "inferred"]
    assert [line.text for line in parts[0].terms] == [
        "Strong motion for 41\u00a0s.", "Tilted 64° and stayed so.",
    ]  # fmt: skip
    assert [weight for _, _, weight in said(judgement)] == ["+4.2", "+1.9", "\u22120.7"]
    assert said(judgement, FR)[0][1:] == ("plaide fortement pour « Enlevée »", "+4,2")


def test_a_threshold_alone_has_no_weight() -> None:
    level = Because("level", 3.1, "measured", {"volume_l": 90.0, "threshold_l": 150.0})
    judgement = replace(FIRST, kind="critical", causes={"unknown": 1.0}, because=(level,))
    assert said(judgement) == [("", "", "")]


def test_the_weights_speak_for_the_likeliest_of_the_likelier_group() -> None:
    assert FIRST.leader == "unknown"
    assert replace(FIRST, causes={"seized": 0.3, "drained": 0.2, "unknown": 0.5}).leader == "seized"
    assert replace(FIRST, causes={"seized": 0.49, "battery": 0.51}).leader == "battery"
    assert replace(FIRST, causes={}).leader == "unknown"


def test_a_change_of_mind_names_the_term_that_caused_it() -> None:
    second = replace(
        FIRST, number=2, change="updated", kind="seized", probability=0.8,
        causes={"seized": 0.8, "unknown": 0.2}, because=(MOTION, TILT),
    )  # fmt: skip
    again = replace(second, number=3, probability=0.84)
    surer = replace(again, number=4, probability=0.91, because=(replace(MOTION, weight=4.7), TILT))
    closed = replace(surer, number=5, change="closed", figures={"closed_why": "seen_there"})
    history = [FIRST, second, again, surer, closed]
    assert [t.judgement.number for t in why.turns(history)] == [1, 2, 4, 5]
    page = words.page(EN, snapshot(), INCIDENT, history, nothing())
    assert [(plain(t.text), [plain(r) for r in t.reasons]) for t in page.turns] == [
        ("Seen in its place.", []),
        (
            "More sure of “May have been taken”: about 9 in 10, before about 8 in 10.",
            ["Weighs otherwise: Strong motion for 41 s."],
        ),
        (
            "Changed from “Moved, cause not known” to “May have been taken”, about 8 in 10.",
            ["New: Tilted 64° and stayed so.", "No longer: No move was planned."],
        ),
        (
            "First said: “Moved, cause not known”, about 6 in 10.",
            ["Strong motion for 41 s.", "No move was planned."],
        ),
    ]


def test_a_small_change_of_the_probability_is_no_change_of_mind() -> None:
    less = replace(FIRST, number=2, change="updated", probability=0.56)
    assert len(why.turns([FIRST, less])) == 1
    assert len(why.turns([FIRST, replace(less, probability=0.54)])) == 2


def test_on_top_is_what_is_said_how_sure_and_since_when() -> None:
    found = words.statement(EN, INCIDENT, FIRST, NOW)
    assert plain(found) == (
        "Said now: “Moved, cause not known”, about 6 in 10, since 11:45. Decided 11:45."
    )
    closed = replace(INCIDENT, closed=NOW - 60, closed_why="seen_there")
    assert plain(words.statement(EN, closed, FIRST, NOW)) == (
        "Said last: “Moved, cause not known”, about 6 in 10, from 11:45 on. "
        "Seen in its place, 11:59."
    )


def test_an_incident_whose_judgements_were_not_kept_is_explained_by_its_own() -> None:
    page = words.page(EN, snapshot(), replace(INCIDENT, auth="unsigned"), [], nothing())
    assert [part.basis for part in page.terms] == ["measured", "inferred"]
    assert page.notes == [
        "The figures come from a third-party sensor: not signed.",
        "Its earlier judgements were not kept.",
    ]
    assert (page.turns, page.no_readings) == ([], "No reading came in this time.")


@pytest.mark.parametrize(
    ("around", "tank", "text"),
    [
        (None, "canal-1", "The store of past readings does not answer"),
        ([], None, "A network has no level of its own"),
    ],
)  # fmt: skip
def test_missing_readings_are_explained(around: None, tank: str | None, text: str) -> None:
    incident = replace(INCIDENT, tank=tank)
    page = words.page(EN, snapshot(), incident, [FIRST], replace(nothing(), readings=around))
    assert page.no_readings.startswith(text)


@pytest.mark.parametrize("kind", list(incident_words.KINDS))
@pytest.mark.parametrize("language", [EN, FR], ids=["en", "fr"])
def test_every_kind_says_its_rule_and_what_would_change_it(
    kind: IncidentKind, language: PageLanguage
) -> None:
    judgement = replace(FIRST, kind=kind)
    assert rules.rule(language, judgement)
    assert rules.would_change(language, judgement)
    assert "{" not in rules.rule(language, judgement)


def test_the_rule_of_what_was_handled_names_the_watchs_threshold() -> None:
    found = plain(rules.rule(EN, replace(FIRST, kind="seized")))
    assert found.startswith("Said because all signs together passed 7 in 10, or because")


def test_the_rule_of_water_names_its_threshold() -> None:
    level = Because("level", 3.1, "measured", {"volume_l": 90.0, "threshold_l": 150.0})
    found = rules.rule(EN, replace(FIRST, kind="critical", because=(level,)))
    assert plain(found) == (
        "Said because the level stayed under 150 L for two readings one after the other."
    )


def test_the_rule_of_a_battery_has_two_decimals_in_each_language() -> None:
    assert "3.50 V in two messages" in plain(rules.rule(EN, replace(FIRST, kind="battery")))
    (good,) = rules.would_change(FR, replace(FIRST, kind="battery"))
    assert "3,65 V ou plus" in plain(good)


def test_a_battery_as_evidence_has_the_decimal_sign_of_its_language() -> None:
    good = Because("battery_good", -2.5, "measured", {"battery_mv": 3980})
    texts = [plain(causes.sentence(one, good, 0.0)) for one in (EN, FR)]
    assert texts == ["The battery was good, 3.98 V.", "La batterie était bonne, 3,98 V."]


def test_what_was_asked_and_not_found_is_what_no_term_answers() -> None:
    asked = rules.not_found(EN, FIRST)
    assert "Strong motion: none was reported." not in asked
    assert "A tilt that stayed: none was reported." in asked
    assert not any(text.startswith("A knock") for text in asked)
    fall = Because("fall_rate", 4.0, "measured", {})
    asked = rules.not_found(EN, replace(FIRST, because=(fall,)))
    assert "A knock shortly before: none was reported." in asked
    assert "A fall faster than use: none was found." not in asked
    assert rules.not_found(EN, replace(FIRST, kind="low")) == []
    silent = rules.not_found(EN, replace(FIRST, kind="silent", because=()))
    assert "Our own downtime: we listened all the time." in silent


def test_every_term_of_the_watch_has_a_sentence() -> None:
    watch = Path(__file__).parents[2] / "gateway/domain/watch"
    found: set[str] = set()
    for path in watch.glob("rules/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Term", "Because"):
                name = node.args[0]
                if isinstance(name, ast.Constant):
                    found.add(str(name.value))
    for node in ast.walk(ast.parse((watch / "fitted.py").read_text())):
        if isinstance(node, ast.Constant) and re.fullmatch(r"[a-z_]+\.[a-z_]+", str(node.value)):
            found.add(str(node.value).split(".")[0])  # a term, and its band
    assert {"fall_size", "level", "silence"} <= found
    found.remove("fall_shape")  # part of the term fall_rate
    missing = {name for name in found if not causes.is_known(name)}
    assert missing == set()


def test_the_readings_used_are_some_before_and_more_after() -> None:
    readings = [reading(NOW + 60 * i, 500.0) for i in range(-9, 20)]
    used = why.used(readings, NOW)
    assert [r.at - NOW for r in used] == [60.0 * i for i in range(-4, 8)]


def test_the_span_reaches_from_six_hours_before_to_two_after_the_last_change() -> None:
    old = replace(INCIDENT, at=0.0, updated=3600.0)
    assert why.span(old, 1e6) == (-21_600.0, 10_800.0)
    assert why.span(replace(old, closed=1e5), 1e6) == (-21_600.0, 86_400.0)
    assert why.span(old, 4000.0) == (-21_600.0, 4000.0)


def test_signs_close_together_are_below_one_another() -> None:
    signs = [Sign(NOW + at, NOW + at, "flag", "x", "12:00") for at in (-90_000, 0, 60, 7200)]
    readings = [reading(NOW + 600 * i, 500.0) for i in range(-36, 1)]
    found = chart.draw(
        EN, 1000.0, (300.0, 150.0), readings, signs, (NOW - 21_600, NOW + 7200), NOW + 9000
    )
    assert [(m.left, m.top) for m in found.incidents] == [
        (0.0, 0),
        (75.0, 0),
        (75.21, 22),
        (100.0, 0),
    ]
    assert not found.is_now
    assert [gap.right for gap in found.gaps] == [100.0]


def reading(at: float, litres: float) -> Reading:
    return Reading(
        tank="canal-1", device="k7f3q5", era="m4xq2lzt", boot=1, seq=1, i=0, channel=0, at=at,
        received=at, estimated=False, quantity="mm", value=400, spread=4, valid=7, tried=7,
        temperature_dc=None, volume_l=litres, sd_l=11.0,
    )  # fmt: skip


def nothing() -> Around:
    return Around(NOW - 7200, NOW, [], [], [], ())


def snapshot() -> Snapshot:
    return Snapshot(NOW, 1, Registry({}, {}, {}), (), (), {}, Freshness(True))

"""The messages about a request to close a theft, and about its end."""

from dataclasses import replace

import pytest

from gateway.alerts.language import Language
from gateway.alerts.text import LONGEST, Alert, text_of
from gateway.domain.outputs import Figure
from tests.unit.made_alerts import EN, HOUR, NOW, REGISTRY, body, change

UNTIL = NOW + HOUR


def about(figures: dict[str, Figure], asking: str = "Van 1", language: Language = EN) -> Alert:
    out = change("seized", {"motion_s": 40.0, "silent_since": NOW - 60} | figures)
    url = "https://water.example.org"
    return Alert(out, REGISTRY, language, NOW, url, asking=asking)


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("moved_by_us", "Van 1 says: we moved it."), ("mistaken", "Van 1 says: it was nothing."),
        ("there", "Van 1 says: it is there."), ("other", "Van 1 says that it is over."),
    ],
)  # fmt: skip
def test_a_request_names_who_says_what_and_until_when(why: str, said: str) -> None:
    text = body(about({"closing": why, "closing_until": UNTIL}))
    agree = "A second person agrees by 15:32, or it stays open."
    assert f"May have been taken: Canal 1. {said} {agree}" in text
    assert len(text) <= LONGEST


def test_a_request_of_an_unknown_person_in_french() -> None:
    french = Language("fr", "Europe/Paris")
    text = body(about({"closing": "moved_by_us", "closing_until": UNTIL}, "", french))
    assert "c’est nous qui l’avons déplacée" in text
    assert "Une deuxième personne doit confirmer avant 15 h 32" in text
    assert len(text) <= LONGEST


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("unconfirmed", "Nobody agreed that it is over: it stays open."),
        ("evidence", "it was touched since: it stays open."),
        ("kept", "It is not over after all."),
    ],
)
def test_the_end_of_a_request_is_told_once(how: str, text: str) -> None:
    ended: dict[str, Figure] = {"closing": None, "closing_ended": how}
    assert text in body(about(ended | {"closing_ended_at": NOW}))
    assert text not in body(about(ended | {"closing_ended_at": NOW - 1}))


def test_an_incident_that_was_closed_asks_for_nothing() -> None:
    asked = about({"closing": "moved_by_us", "closing_until": UNTIL})
    closed = replace(asked, change=replace(asked.change, change="closed"))
    assert "agrees" not in text_of(closed).body

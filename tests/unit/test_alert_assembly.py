"""What all alerts share: the subject, who goes, the link, and the length."""

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from gateway.alerts.language import ALERT
from gateway.alerts.text import LONGEST, Alert, ClaimNote, Text, text_of
from gateway.alerts.text.alert import claim_lines, link, short, tanks_behind
from gateway.domain.outputs import Figure, IncidentKind
from gateway.domain.registry import Device, Install, Tank
from tests.unit.made_alerts import EN, NOW, REGISTRY, alert, body, change


def network(uplink: str | None, **figures: Figure) -> Alert:
    out = replace(change("network_out", figures), tank=None, uplink=uplink)
    return Alert(out, REGISTRY, EN, NOW, "https://x/")


@pytest.mark.parametrize(
    ("uplink", "figures", "begins"),
    [
        ("r1", {}, "Network out at North since 14:02. Its 2 tanks are unknown, not empty."),
        ("r1", {"tanks": 0}, "Network out at North since 14:02. Its 2 tanks are unknown"),
        ("r1", {"tanks": 5}, "Network out at North since 14:02. Its 5 tanks are unknown"),
        ("r2", {}, "Network out at south since 14:02. Its tank is unknown, not empty."),
        ("r9", {"tanks": 1}, "Network out at r9 since 14:02. Its tank is unknown, not empty."),
        (None, {"tanks": 1}, "Network out at - since 14:02. Its tank is unknown, not empty."),
    ],
)
def test_a_network_is_named_by_the_site_it_serves(
    uplink: str | None, figures: dict[str, Figure], begins: str
) -> None:
    text = body(network(uplink, **figures))
    assert text.startswith(begins)
    assert text.endswith(" One fault; nothing to refill for it. See: https://x/i/8f2k")


def test_tanks_behind_an_uplink_are_those_of_its_devices_in_force() -> None:
    assert tanks_behind(network("r1")) == {"canal-1", "canal-2"}
    assert tanks_behind(network("r2")) == {"wood-1"}
    assert tanks_behind(network("r9")) == set()
    hung = replace(REGISTRY, installs={"lost": (Install("lost", "canal-1", NOW - 5),)})
    assert tanks_behind(replace(network("r3"), registry=hung)) == {"canal-1"}
    both = {**REGISTRY.devices, "three": (Device("three", "wood-1", uplink="r1"),)}
    spread = replace(network("r1"), registry=replace(REGISTRY, devices=both))
    assert spread.subject == "r1"  # two sites


@pytest.mark.parametrize(
    ("name", "shown"),
    [("n" * 40, "n" * 40), ("n" * 41, "n" * 39 + "…"), ("n" * 38 + "  xy", "n" * 38 + "…")],
)
def test_names_have_at_most_40_characters(name: str, shown: str) -> None:
    assert short(name) == shown
    named = replace(REGISTRY, tanks={"canal-1": (Tank("canal-1", "a", "north", name=name),)})
    assert replace(alert(), registry=named).subject == shown


def test_a_tank_without_a_name_is_its_id() -> None:
    assert alert().subject == "Canal 1"
    for tank in ("canal-2", "gone"):
        assert replace(alert(), change=replace(change(), tank=tank)).subject == tank


@pytest.mark.parametrize(
    ("kind", "name", "eta", "closed", "lines"),
    [
        ("low", None, None, None, ["Nobody is going yet.", "Go: https://x/c/8f2k"]),
        ("seized", None, None, None, ["Nobody is looking yet.", "See: https://x/i/8f2k"]),
        ("low", "Van 2", None, None, ["Van 2 is going.", "See: https://x/i/8f2k"]),
        ("low", "Van 2", NOW, None, ["Van 2 is going.", "See: https://x/i/8f2k"]),
        ("low", "Van 2", NOW + 60, None,
         ["Van 2 is going, there about 14:33.", "See: https://x/i/8f2k"]),
        ("seized", "", None, None, ["Somebody is going.", "See: https://x/i/8f2k"]),
        ("low", "n" * 41, None, None, [f"{'n' * 39}… is going.", "See: https://x/i/8f2k"]),
        ("low", "Van 2", NOW + 60, NOW - 60, ["It ended at 14:31.", "See: https://x/i/8f2k"]),
        ("seized", None, None, 0.0, ["It ended at Thu 1 Jan.", "See: https://x/i/8f2k"]),
    ],
)  # fmt: skip
def test_the_last_lines_name_who_goes_and_the_link(
    kind: IncidentKind, name: str | None, eta: float | None, closed: float | None, lines: list[str]
) -> None:
    going = None if name is None else ClaimNote(name, eta)
    of = alert(kind, "https://x/", going, closed)
    if closed == 0.0:
        lines = [f"It ended at {of.when(0.0)}.", lines[1]]
    assert claim_lines(of) == lines
    assert claim_lines(replace(of, public_url="")) == lines[:1]


def test_a_link_needs_the_address_of_the_pages() -> None:
    assert link(alert(url="https://x"), "Go") == ["Go: https://x/c/8f2k"]
    assert link(alert(url="https://x//"), "See") == ["See: https://x/i/8f2k"]
    assert link(alert(), "Go") == link(alert(), "See") == []


def test_figures_are_numbers_or_none() -> None:
    of = alert("low", a=1, b=2.5, c="3", d=True, e=None)
    assert [of.figure(name) for name in "abcdef"] == [1.0, 2.5, None, None, None, None]
    assert isinstance(of.figure("a"), float)


def test_values_of_a_sentence_may_replace_the_known_ones() -> None:
    assert alert().text("{tank} {time}") == "Canal 1 14:02"
    assert alert().text("{tank} {time} {x}", time="now", x=1) == "Canal 1 now 1"


def test_late_and_unsigned_changes_are_marked_before_who_goes() -> None:
    late = alert("lid_open")
    late = replace(late, change=replace(late.change, learned_late=True, auth="unsigned"))
    title = "Lid open: Canal 1, since 14:02."
    assert body(late) == (
        f"{title} The water may not be safe to drink. We learned of it late. "
        "From an unsigned feed. Nobody is looking yet."
    )
    assert text_of(late).title == title[:-1]
    signed = replace(late, change=replace(late.change, learned_late=False, auth="none"))
    assert body(signed) == f"{title} The water may not be safe to drink. Nobody is looking yet."


def test_a_network_and_a_refill_name_nobody_who_goes() -> None:
    assert "Nobody" not in body(network("r1"))
    full = replace(alert(), change=replace(change("low", {"volume_l": 900}), change="closed"))
    assert body(full) == "Canal 1 is full again, about 900 L."
    ended = replace(alert(), change=replace(change("seized"), change="closed"))
    assert body(ended).startswith("May have been taken: Canal 1.")


def test_a_long_message_loses_its_middle_lines_first() -> None:
    url = "https://" + "x" * 140
    of = alert("seized", url, silent_since=NOW, motion_s=1, volume_l=640.0)
    text = body(replace(of, change=replace(of.change, learned_late=True, auth="unsigned")))
    assert text == (
        "May have been taken: Canal 1. It moved at 14:02, then stopped answering. About 7 in 10. "
        f"It held about 640 L. Nobody is looking yet. See: {url}/i/8f2k"
    )


def test_a_message_of_exactly_300_characters_is_kept_whole() -> None:
    def of(length: int) -> str:
        url = "https://" + "x" * length
        return body(alert("seized", url, silent_since=NOW, motion_s=1, volume_l=640.0))

    rest = LONGEST - len(of(1)) + 1
    assert LONGEST == 300
    assert len(of(rest)) == 300
    assert "It held about 640 L." in of(rest)
    assert "It held about 640 L." not in of(rest + 1)
    assert of(400).count(". ") == 2  # the title and the last two lines stay at any length


@pytest.mark.parametrize("made", [Text("a", "b"), ClaimNote("a"), alert(), ALERT])
def test_texts_and_their_parts_cannot_be_changed(made: Any) -> None:
    with pytest.raises((FrozenInstanceError, TypeError)):
        setattr(made, type(made).__slots__[0], "x")
    assert not hasattr(made, "__dict__")

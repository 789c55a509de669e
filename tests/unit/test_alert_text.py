"""The texts of alerts in both languages."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from gateway.alerts.language import Language
from gateway.alerts.text import LONGEST, Alert, ClaimNote, text_of
from gateway.domain.outputs import IncidentChange
from gateway.domain.registry import Device, Registry, Site, Tank
from tests.typography import faults_of_page

GATEWAY = Path(__file__).parents[2] / "gateway"
NBSP = "\u00a0"
NARROW = "\u202f"
ZONE = "Europe/Paris"


def at(clock: str, day: int = 21) -> float:
    hour, minute = (int(part) for part in clock.split(":"))
    return datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo(ZONE)).timestamp()


def registry_of(names: dict[str, str]) -> Registry:
    """Tanks by id with their names, all at the site Orchard behind one router."""
    return Registry(
        sites={"orchard": (Site("orchard", "aaaaaaaa", name="Orchard"),)},
        tanks={i: (Tank(i, f"rid{i}", "orchard", name=name),) for i, name in names.items()},
        devices={i: (Device(i, i, key=bytes(32), uplink="orchard-router"),) for i in names},
    )


REGISTRY = registry_of({"canal-1": "Canal 1", "birches-2": "Birches 2", "bouleaux-2": "Bouleaux 2"})
LOW = IncidentChange(
    id="8f2k", change="opened", change_number=1, at=at("12:54"), received=at("12:55"),
    tank="canal-1", uplink=None, kind="low", probability=0.99, causes={}, because=(), auth="mac",
    alert=True,
    figures={"volume_l": 302.0, "trend_lph": -131.0, "empty_lo": at("14:33"),
             "empty_hi": at("15:58")},
)  # fmt: skip
CRITICAL = replace(
    LOW, kind="critical", change="updated", change_number=2,
    figures={"volume_l": 148.0, "empty_lo": at("14:56"), "empty_hi": at("15:38")},
)  # fmt: skip
FULL = replace(
    LOW, kind="empty", change="closed", change_number=4,
    figures={"volume_l": 940.0, "dry_s": 31 * 60.0, "empty_since": at("15:20")},
)  # fmt: skip
SEIZED = replace(
    LOW, id="3qva", kind="seized", tank="birches-2", at=at("13:58"), probability=0.71,
    figures={"volume_l": 641.0, "motion_s": 41.0, "tilt_deg": 64, "silent_since": at("14:01")},
)  # fmt: skip
NETWORK = replace(
    LOW, id="n4ab", kind="network_out", tank=None, uplink="orchard-router", at=at("13:05"),
    figures={"devices": 3, "tanks": 3},
)  # fmt: skip


def body(
    change: IncidentChange, now: float, language: str = "en", going: ClaimNote | None = None,
    url: str = "https://noria.example", closed: float | None = None,
) -> str:  # fmt: skip
    """The message, with ordinary spaces so that it can be read here."""
    words = Language(language, ZONE)
    alert = Alert(change, REGISTRY, words, now, url, going, closed)
    return text_of(alert).body.replace(NBSP, " ").replace(NARROW, " ")


def test_a_low_tank_has_level_rate_forecast_and_nobody_going() -> None:
    assert body(LOW, at("12:55")) == (
        "Low: Canal 1, about 300 L, falling by about 130 L/h. Empty 14:30–16:00. "
        "Nobody is going yet. Go: https://noria.example/c/8f2k"
    )
    assert body(LOW, at("12:55"), "fr") == (
        "Basse : Canal 1, environ 300 L, elle perd environ 130 L/h. Vide entre 14 h 30 et "
        "16 h 00. Personne n’y va encore. J’y vais : https://noria.example/c/8f2k"
    )


def test_a_wide_range_is_in_hours_with_its_days() -> None:
    wide = replace(LOW, figures={"volume_l": 302.0, "empty_lo": at("15:10"),
                                 "empty_hi": at("05:20", day=22)})  # fmt: skip
    assert "Empty 15 h – Sun 6 h." in body(wide, at("12:55"))
    assert "Vide entre 15 h et dim. 6 h." in body(wide, at("12:55"), "fr")
    today = replace(LOW, figures={"volume_l": 302.0, "empty_lo": at("17:10"),
                                  "empty_hi": at("19:50")})  # fmt: skip
    assert "Empty 17–20 h." in body(today, at("12:55"))


def test_a_nearly_empty_tank_in_both_languages() -> None:
    assert body(CRITICAL, at("14:08")) == (
        "Nearly empty: Canal 1, about 150 L. Empty 14:55–15:40. Nobody is going yet. "
        "Go: https://noria.example/c/8f2k"
    )
    assert body(CRITICAL, at("14:08"), "fr") == (
        "Presque vide : Canal 1, environ 150 L. Vide entre 14 h 55 et 15 h 40. "
        "Personne n’y va encore. J’y vais : https://noria.example/c/8f2k"
    )


def test_a_claim_replaces_nobody_is_going() -> None:
    going = ClaimNote("Van 2", at("15:15"))
    assert body(CRITICAL, at("14:08"), going=going) == (
        "Nearly empty: Canal 1, about 150 L. Empty 14:55–15:40. "
        "Van 2 is going, there about 15:15. See: https://noria.example/i/8f2k"
    )
    assert "Camion 2 y va, vers 15 h 15." in body(
        CRITICAL, at("14:08"), "fr", ClaimNote("Camion 2", at("15:15"))
    )


def test_a_full_tank_thanks_the_person_and_has_the_dry_time() -> None:
    assert body(FULL, at("15:52"), going=ClaimNote("Van 2")) == (
        "Canal 1 is full again, about 940 L. Thank you, Van 2. It was dry for 31 min."
    )
    assert body(FULL, at("15:52"), "fr", ClaimNote("Camion 2")) == (
        "Canal 1 est remplie, environ 940 L. Merci, Camion 2. Elle est restée à sec 31 min."
    )
    half = replace(FULL, figures={"volume_l": 500.0})
    assert body(half, at("15:52")) == "Canal 1 has water again, about 500 L."


def test_a_tank_that_may_have_been_taken_has_what_and_when_never_who() -> None:
    assert body(SEIZED, at("14:04")) == (
        "May have been taken: Birches 2. It moved at 13:58, then stopped answering. "
        "About 7 in 10. It held about 640 L. Nobody is looking yet. "
        "See: https://noria.example/i/3qva"
    )
    assert body(replace(SEIZED, tank="bouleaux-2"), at("14:04"), "fr") == (
        "Peut-être enlevée : Bouleaux 2. Déplacée à 13 h 58, puis plus rien. "
        "Environ 7 chances sur 10. Elle contenait environ 640 L. "
        "Personne n’est encore allé voir. Voir : https://noria.example/i/3qva"
    )


def test_one_dead_network_is_one_message_about_all_its_tanks() -> None:
    assert body(NETWORK, at("13:09"), url="") == (
        "Network out at Orchard since 13:05. Its 3 tanks are unknown, not empty. "
        "One fault; nothing to refill for it."
    )
    assert body(NETWORK, at("13:09"), "fr", url="") == (
        "Réseau coupé à Orchard depuis 13 h 05. Ses 3 cuves : niveau inconnu, pas vides. "
        "Une seule panne ; rien à remplir pour elle."
    )


def test_a_late_or_ended_incident_is_marked_in_its_message() -> None:
    late = replace(SEIZED, learned_late=True, at=at("13:58", day=20))
    text = body(late, at("14:04"))
    assert "It moved at Fri 13:58" in text
    assert "We learned of it late." in text
    assert "It ended at 14:00." in body(SEIZED, at("14:04"), closed=at("14:00"))


KINDS = [
    ("drained", "May have been emptied: Birches 2. It lost about 480 L from 13:58."),
    ("slashed", "May have been cut: Birches 2. It lost about 480 L from 13:58."),
    ("lid_open", "Lid open: Birches 2, since 13:58."),
    ("silent", "Silent: Birches 2, since 13:58. Its level is unknown, not empty."),
    ("battery", "Battery low: Birches 2."),
    ("sensor_fault", "Sensor fault: Birches 2, since 13:58."),
    ("moved_by_us", "Moved: Birches 2, at 13:58. Most likely by one of us."),
    ("access_blocked", "Access may be blocked: Birches 2."),
    ("clone", "Two devices speak as one: Birches 2."),
    ("unknown", "Somebody should look: Birches 2."),
    ("empty", "Empty: Birches 2, since 13:58."),
]


@pytest.mark.parametrize(("kind", "begins"), KINDS)
def test_every_kind_has_its_words(kind: str, begins: str) -> None:
    change = replace(SEIZED, kind=kind, figures={"lost_l": 480.0, "left_l": 20.0})  # pyright: ignore[reportArgumentType]
    text = body(change, at("14:04"))
    assert text.startswith(begins)
    assert text.endswith("https://noria.example/i/3qva") or kind == "empty"


@given(
    kind=st.sampled_from([k for k, _ in KINDS] + ["low", "critical", "network_out", "seized"]),
    change=st.sampled_from(["opened", "updated", "closed"]),
    language=st.sampled_from(["en", "fr"]),
    name=st.text(min_size=1, max_size=120),
    claimed=st.booleans(),
    figures=st.fixed_dictionaries(
        {},
        optional={
            "volume_l": st.none() | st.floats(0, 100_000),
            "trend_lph": st.none() | st.floats(-50_000, 50_000),
            "empty_lo": st.floats(at("12:00"), at("12:00", day=29)),
            "empty_hi": st.floats(at("12:00"), at("12:00", day=29)),
            "silent_since": st.none() | st.floats(at("12:00"), at("13:00")),
            "motion_s": st.floats(0, 100),
            "lost_l": st.none() | st.floats(0, 1000),
            "left_l": st.none() | st.floats(0, 1000),
            "dry_s": st.floats(0, 1e6),
            "last_word_at": st.floats(at("12:00"), at("13:00")),
        },
    ),
    probability=st.floats(0, 1),
)  # fmt: skip
def test_no_message_is_too_long_fails_or_accuses(
    kind: str, change: str, language: str, name: str, claimed: bool,
    figures: dict[str, float | None], probability: float,
) -> None:  # fmt: skip
    late = replace(
        SEIZED, kind=kind, change=change, figures=figures, probability=probability,  # pyright: ignore[reportArgumentType]
        learned_late=True, auth="unsigned",
    )  # fmt: skip
    names = registry_of({"birches-2": name})
    going = ClaimNote(name, at("15:15")) if claimed else None
    url = "https://noria.coordination-de-quelque-part.example"
    text = text_of(Alert(late, names, Language(language, ZONE), at("14:04"), url, going))
    assert len(text.body) <= LONGEST
    assert 0 < len(text.title) <= LONGEST
    others = text.body.replace(name, "").lower()
    for word in ("stolen", "theft", "thief", "volé", "vol ", "police", "alert"):
        assert word not in others
    for number, unit in (("0", "L"), ("0", "min")):
        assert f"{number} {unit}" not in text.body.replace(name, "")
    known, van = registry_of({"birches-2": "Birches 2"}), ClaimNote("Van 2", at("15:15"))
    words = Language(language, ZONE)
    text = text_of(Alert(late, known, words, at("14:04"), url, van if claimed else None))
    assert faults_of_page(f"{text.title}\n{text.body}", language) == []


def test_every_sentence_has_its_french() -> None:
    with (GATEWAY / "alerts" / "locale" / "fr" / "gateway.po").open("rb") as file:
        french = read_po(file, locale="fr")
    keywords = {"text": None, "say": None, "mark": None, "plural": (1, 2)}
    found = extract_from_dir(
        GATEWAY,
        method_map=[
            ("alerts/text/**.py", "python"), ("alerts/people/wording.py", "python"),
            ("alerts/language.py", "python"),
        ],
        keywords=keywords,
    )  # fmt: skip
    wanted = {message if isinstance(message, str) else message[0] for _, _, message, *_ in found}
    assert len(wanted) > 50
    missing = {m for m in wanted if m not in french or not french[m].string}  # pyright: ignore
    assert missing == set()
    assert {m.id if isinstance(m.id, str) else m.id[0] for m in french if m.id} == wanted

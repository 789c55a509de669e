"""What devices report of their own parts: the newest of each part, on the page of devices."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.database.tables import metadata
from gateway.devices import faults
from gateway.devices.answers import AnswersProjection
from gateway.domain.entry import Entry
from server.words import faults as words
from server.words.language import PageLanguage

NOW = 1795212000.0
DAY_S = 86400.0
EN, FR = PageLanguage("en", "Europe/Paris"), PageLanguage("fr", "Europe/Paris")


@pytest.fixture
def engine() -> Iterator[sa.Engine]:
    made = sa.create_engine("sqlite://")
    metadata.create_all(made)
    yield made
    made.dispose()


def entry(
    seq: int, *events: dict[str, Any], received: float = NOW, era: str = "abcdefgh", t: int = 0
) -> Entry:
    """A message with these events; ``t``: the device's own time, 0 without one."""
    fields = {
        "v": 1, "fw": "0.1.0", "era": era, "boot": 1, "seq": seq, "prev": "", "up": seq * 900,
        "t": t, "ts": "ntp" if t else "none", **({"ta": 0} if t else {}), "next": 900,
        "old": [1, 1], "r": [], "e": list(events),
    }  # fmt: skip
    payload = json.dumps(fields, separators=(",", ":")).encode() + b"\n" + b"A" * 43
    body = b"noria/1/k7f3q5/up\n" + payload
    return Entry(seq, received, "msg", "k7f3q5", body, verdict="stored", auth="mac")


def fault(part: str, code: str, age_s: int = 0, **more: Any) -> dict[str, Any]:
    return {"o": age_s, "k": "fault", "s": part, "c": code, **more}


def known(engine: sa.Engine, *entries: Entry) -> list[tuple[str, str, int]]:
    AnswersProjection(engine).apply(list(entries))
    found = faults.by_device(engine).get("k7f3q5", [])
    return [(one.part, one.code, one.times) for one in found]


def test_the_newest_of_each_part_counts_and_ok_ends_it(engine: sa.Engine) -> None:
    first = entry(1, fault("sensor", "missing", 60), fault("lid", "floating"))
    assert known(engine, first) == [("lid", "floating", 1), ("sensor", "missing", 1)]
    later = entry(2, fault("sensor", "garbage"), fault("sensor", "ok"), received=NOW + 900)
    assert known(engine, later) == [("lid", "floating", 1)]
    assert known(engine, entry(3, received=NOW + 1800)) == [("lid", "floating", 1)]


def test_a_backlog_that_arrives_newest_first_does_not_bring_a_fault_back(
    engine: sa.Engine,
) -> None:
    newest = entry(9, fault("sensor", "ok"))
    older = entry(8, fault("sensor", "no_echo"), received=NOW + 5)
    assert known(engine, newest, older) == []
    later = entry(10, fault("sensor", "near"), received=NOW + 900)
    assert known(engine, later, older) == [("sensor", "near", 1)]


def test_a_former_eras_backlog_is_ordered_by_its_time(engine: sa.Engine) -> None:
    now = int(NOW)
    newest = entry(1, fault("sensor", "ok"), era="bbbbbbbb", t=now)
    former = entry(70, fault("sensor", "far", 600), t=now - 3600, received=NOW + 10)
    assert known(engine, newest, former) == []
    after = entry(71, fault("sensor", "far"), t=now + 3600, received=NOW + 3601)
    assert known(engine, after) == [("sensor", "far", 1)]


def test_a_device_can_neither_fill_the_table_nor_stop_the_projection(engine: sa.Engine) -> None:
    parts = [fault(f"p{i}", "x" * 200, n=2**53 - 1) for i in range(30)]
    odd = [fault("sensor", "near", n=-5), fault("bus", "OSError", n=True)]
    mixed: list[dict[str, Any]] = [{"o": 0, "k": "fault", "s": 4, "c": None}, fault("radio", "")]
    found = known(engine, entry(1, *parts), entry(2, *odd, *mixed))
    assert len(found) == 4
    assert ("sensor", "near", 1) in found and ("bus", "OSError", 1) in found
    (other,) = [one for one in found if one[0] == "other"]
    assert other[1].startswith("p29 xxx") and len(other[1]) == 40 and other[2] == 1_000_000


def test_the_pages_say_what_is_wrong_and_since_when(engine: sa.Engine) -> None:
    events = fault("sensor", "wire"), fault("radio", "RuntimeError", n=3)
    known(engine, entry(1, *events), entry(2, fault("turbine", "hot")))
    found = faults.by_device(engine)["k7f3q5"]
    english = {odd.text: odd.urgent for odd in words.lines(EN, found, NOW + 60)}
    assert english == {
        "No current flows through the probe. Check its wire and its 24\u00a0V. Since 23:00.": True,
        "Its radio failed in an unusual way (RuntimeError, 3\u00a0in all). Last 23:00.": False,
        "It reports a fault that this version does not know (other: turbine hot). "
        "Since 23:00.": True,
    }
    french = " ".join(odd.text for odd in words.lines(FR, found, NOW + 60))
    assert (
        "Aucun courant ne passe dans la sonde." in french and "Depuis 23\u00a0h\u00a000." in french
    )
    # A week later what passes by itself is no longer shown; what lasts is.
    later = [odd.text.split(".")[0] for odd in words.lines(EN, found, NOW + 7 * DAY_S)]
    assert len(later) == 2 and not any("radio" in text for text in later)

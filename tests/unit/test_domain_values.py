"""The domain's values: immutable, with the defaults and the words that WIRE.md documents."""

import dataclasses
import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from gateway import domain
from gateway.domain.boot_time import Boot
from gateway.domain.chain import AckLine, ChainLink, LineAdvance
from gateway.domain.entry import NO_LINES, Entry, EntryVerdict
from gateway.domain.envelope import Envelope
from gateway.domain.horizon import GatewayMark, Horizon, HorizonStep
from gateway.domain.inputs import (
    Auth,
    DeviceEvent,
    ForkedMessage,
    JournaledMessage,
    ListeningChange,
    OperatorAction,
    Reading,
    RegistryChanged,
    Tick,
)
from gateway.domain.merkle import Frontier
from gateway.domain.message import Message, Quantity, RawEvent, RawReading, TimeSource
from gateway.domain.outputs import (
    THEFT_KINDS,
    WATER_KINDS,
    Because,
    EventKind,
    Forecast,
    IncidentChange,
    IncidentKind,
    LevelState,
    Span,
    TankEvent,
    TankNow,
)
from gateway.domain.outputs import Verdict as Cause
from gateway.domain.rate_limit import RateLimiter
from gateway.domain.registry import (
    Device,
    Install,
    Plan,
    PlanKind,
    Registry,
    Sensor,
    Shape,
    Site,
    Tank,
    TankKind,
)
from gateway.domain.verdict import Verdict

WIRE = (Path(__file__).parents[2] / "gateway/WIRE.md").read_text("utf-8")

FROZEN = {
    Because, DeviceEvent, ForkedMessage, Forecast, Frontier, GatewayMark, HorizonStep,
    IncidentChange, ListeningChange, OperatorAction, RawEvent, RegistryChanged,
    Site, Tank, Device, Install, Plan, Registry, Span, TankEvent, TankNow, Tick,
}  # fmt: skip
MUTABLE = {Boot, Horizon, RateLimiter}
WITHOUT_SLOTS = {
    Registry,  # a cached property needs a __dict__
    Horizon,
}


def _dataclasses() -> set[type]:
    found: set[Any] = set()
    for module in pkgutil.iter_modules(domain.__path__, "gateway.domain."):
        for value in vars(importlib.import_module(module.name)).values():
            is_own = isinstance(value, type) and value.__module__ == module.name
            if is_own and dataclasses.is_dataclass(value):
                found.add(value)
    return found


def test_values_are_immutable_and_state_is_not() -> None:
    assert _dataclasses() == FROZEN | MUTABLE
    for value in FROZEN | MUTABLE:
        flags: Any = value.__dataclass_params__  # type: ignore[attr-defined]
        assert flags.frozen == (value in FROZEN), value
        assert ("__slots__" in vars(value)) == (value not in WITHOUT_SLOTS), value


@pytest.mark.parametrize(
    ("value", "whole"),
    [
        (Boot(), Boot(0, 0, None, None, 0, None)),
        (AckLine(), AckLine(ChainLink((0, 0), ""), (0, 0))),
        (LineAdvance(AckLine(), None, 0), LineAdvance(AckLine(), None, 0, False)),
        (Entry(1, 2.0, "run", "-", b""),
         Entry(1, 2.0, "run", "-", b"", NO_LINES, None, None, False, None)),
        (Envelope(b"{}", b"m"), Envelope(b"{}", b"m", None)),
        (GatewayMark(1.0, None), GatewayMark(1.0, None, False)),
        (HorizonStep(1.0), HorizonStep(1.0, (), 0.0)),
        (Horizon(None, True), Horizon(None, True, 1.0, {}, None, [])),
        (Frontier(), Frontier(0, ())),
        (DeviceEvent("t", "d", "lid", 1.0, False), DeviceEvent("t", "d", "lid", 1.0, False, {})),
        (ListeningChange("stop", 1.0), ListeningChange("stop", 1.0, 0.0)),
        (OperatorAction("i", "close", 1.0), OperatorAction("i", "close", 1.0, {})),
        (RawEvent(1, "lid"), RawEvent(1, "lid", {})),
        (RawReading(1, "mm", 2), RawReading(1, "mm", 2, None, None, None, None, 0)),
        (Because("rate", 1.0, "measured"), Because("rate", 1.0, "measured", {})),
        (TankEvent(1.0, 2.0, "t", "draw"), TankEvent(1.0, 2.0, "t", "draw", None)),
        (Site("s", "r"), Site("s", "r", 0.0, "", None, None, "")),
        (Device("d", "t"),
         Device("d", "t", 0.0, None, None, False, None, "a02yyuw", "sensor", False)),
        (Tank("t", "r", "s"),
         Tank("t", "r", "s", 0.0, "", "tank", "ibc1000", 1000.0, 0.0, None, None, 1, 30.0, 15.0,
              None, None, None, (), None, None, None)),
        (Install("d", "t", 1.0), Install("d", "t", 1.0, None, None, None)),
        (Plan("t", 1.0, 2.0, "move"), Plan("t", 1.0, 2.0, "move", False)),
        (Registry(), Registry({}, {}, {}, {}, {})),
        (Verdict("late"), Verdict("late", False, False)),
        (TankNow("t", "ok", None),
         TankNow("t", "ok", None, None, None, None, None, None, None, None, None, "speaking",
                 None, None, None, None, None, None, None, None, None, None)),
        (Forecast(1.0, "t", None, None), Forecast(1.0, "t", None, None, None, None, None)),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_a_field_that_is_not_given_has_its_documented_default(value: Any, whole: Any) -> None:
    assert value == whole


def test_a_message_without_its_optional_fields_has_the_defaults_of_the_wire() -> None:
    # WIRE.md: ``k`` absent = 1, ``mv`` absent on mains, no SIG unless "sg":1.
    given = Message("d", "1", "aaaaaaaa", 1, 2, "", 3, 0, "none", 900, (1, 1))
    assert given[11:] == (None, 1, None, None, False, (), (), False)
    found = JournaledMessage("d", "t", "e", 1, 2, 3.0, 900, True, "mac", None, None)
    assert found[11:] == ((), (), 0, None)
    fields = ("t", "d", "e", 1, 2, 0, 3.0, False, 0, 3.0, "mm", 5, 1, 2, 3, 4, 6.0, 7.0)
    assert Reading._make([*fields, None]) == Reading(*fields)  # type: ignore[arg-type]


def test_an_incident_change_is_in_time_and_without_figures_by_default() -> None:
    change = IncidentChange("i", "opened", 1, 1.0, 2.0, "t", None, "low", 1.0, {}, (), "mac", True)
    assert (change.learned_late, change.figures) == (False, {})


def test_a_key_is_in_no_representation_of_its_device() -> None:
    shown = repr(Device("d", "t", key=bytes.fromhex("5a" * 32)))
    assert "ZZZZ" not in shown
    assert "key=" not in shown.replace("public_key=", "")


def test_an_entry_separates_topic_and_payload_at_the_first_line_feed() -> None:
    entry = Entry(1, 2.0, "msg", "d", b"noria/1/d/up\n{}\nMAC\nSIG")
    assert (entry.topic, entry.payload) == ("noria/1/d/up", b"{}\nMAC\nSIG")
    assert dict(NO_LINES) == {}


def _words(pattern: str) -> set[str]:
    """The words in the group of ``pattern``, in WIRE.md."""
    found = re.search(pattern, WIRE)
    assert found, pattern
    return set(re.findall(r"[a-z_0-9]+", found[1]))


def test_the_words_of_the_outputs_are_those_of_the_wire() -> None:
    assert set(get_args(LevelState)) == _words(r"`state` \(`([a-z ]+)`\) \|")
    assert set(get_args(EventKind)) == _words(r"`tank`, `kind` \(`([a-z_ ]+)`\), `litres`")
    water, theft = (
        _words(r"Incident kinds: `([a-z ]+)` \(water\)"),
        _words(r"\(water\), `([a-z_ ]+)` \(theft kinds\)"),
    )
    others = _words(r"\(theft kinds\), `([a-z_ ]+)`")
    assert (set(WATER_KINDS), set(THEFT_KINDS)) == (water, theft)
    assert set(get_args(IncidentKind)) == water | theft | others
    assert set(get_args(Cause)) <= set(get_args(IncidentKind))
    assert set(get_args(Auth)) == _words(r"`auth` \(`([a-z ]+)`\)")
    assert WATER_KINDS == ("low", "critical", "empty"), "from the least to the most urgent"


def test_the_words_of_the_inputs_are_those_of_the_wire() -> None:
    assert set(get_args(TimeSource)) == _words(r"its source `([a-z ]+)`")
    assert get_args(Quantity) == ("mm", "g", "pa", "ml", "bp")
    assert {"stored", "late", "fork", "flagged"} == set(get_args(EntryVerdict))
    assert set(get_args(PlanKind)) == _words(r'(kind = "move".*)\n') - {"kind", "or"}
    assert set(get_args(TankKind)) == _words(r'(kind = "tank".*)\n') - {"kind", "or"}
    assert set(get_args(Sensor)) == {"a02yyuw", "jsn-sr04t", "probe", "hx711"}
    shapes = {"ibc1000", "ibc600", "cylinder", "lying", "box", "table"}
    assert set(get_args(Shape)) == shapes


# The registry: the row in force at event time applies


OLD, NEW = Tank("t", "r", "s", since=0.0), Tank("t", "r", "s", since=100.0)
REGISTRY = Registry(
    sites={"s": (Site("s", "1"), Site("s", "2", 9.0)), "empty": ()},
    tanks={"t": (OLD, NEW), "empty": ()},
    devices={"d": (Device("d", "t"), Device("d", "u", 9.0)), "alone": (Device("alone", "t"),),
             "empty": ()},
    installs={"d": (Install("d", "a", 10.0), Install("d", "b", 20.0), Install("d", "c", 30.0)),
              "alone": ()},
    plans={"t": (Plan("t", 10.0, 20.0, "move"), Plan("t", 15.0, 30.0, "cleaning"),
                 Plan("t", 10.0, 20.0, "move", cancelled=True))},
)  # fmt: skip


@pytest.mark.parametrize(
    ("at", "tank"),
    [(0.0, "a"), (10.0, "a"), (19.9, "a"), (20.0, "b"), (29.9, "b"), (30.0, "c"), (99.0, "c")],
)
def test_the_install_in_force_is_the_last_that_began_and_before_all_the_first(
    at: float, tank: str
) -> None:
    assert REGISTRY.tank_of("d", at) == tank
    install = REGISTRY.install("d", at)
    assert install is not None
    assert install.tank == tank


def test_without_an_install_a_device_is_in_the_tank_of_its_row() -> None:
    assert REGISTRY.install("alone", 5.0) is None
    assert REGISTRY.tank_of("alone", 5.0) == "t"
    assert REGISTRY.tank_of("none", 5.0) is None


def test_the_newest_row_counts_where_no_time_is_given() -> None:
    assert REGISTRY.tank("t") is NEW
    assert REGISTRY.tank("t", 0.0) is OLD
    assert REGISTRY.tank("t", 99.9) is OLD
    assert REGISTRY.tank("t", 100.0) is NEW
    site, device = REGISTRY.site("s"), REGISTRY.device("d")
    assert (site and site.rid, device and device.tank) == ("2", "u")


@pytest.mark.parametrize("name", ["empty", "none"])
def test_a_name_without_rows_is_in_no_registry(name: str) -> None:
    assert (REGISTRY.tank(name), REGISTRY.tank(name, 1.0)) == (None, None)
    assert (REGISTRY.site(name), REGISTRY.device(name)) == (None, None)
    assert (REGISTRY.install(name, 1.0), REGISTRY.plans_at(name, 1.0)) == (None, ())


def test_each_devices_newest_row_is_found_by_the_topic_that_it_writes() -> None:
    found = {topic: device.tank for topic, device in REGISTRY.speakers.items()}
    assert found == {"noria/1/d/up": "u", "noria/1/alone/up": "t"}
    assert REGISTRY.speakers is REGISTRY.speakers, "computed once: ingest reads it each message"


@pytest.mark.parametrize(
    ("at", "kinds"),
    [
        (9.9, []),
        (10.0, ["move"]),
        (15.0, ["move", "cleaning"]),
        (20.0, ["move", "cleaning"]),
        (20.1, ["cleaning"]),
        (30.0, ["cleaning"]),
        (30.1, []),
    ],
)
def test_a_plan_covers_its_first_and_its_last_second(at: float, kinds: list[str]) -> None:
    assert [plan.kind for plan in REGISTRY.plans_at("t", at)] == kinds


@pytest.mark.parametrize(
    ("start", "end", "kinds"),
    [
        (0.0, 9.9, []),
        (0.0, 10.0, ["move"]),
        (0.0, 99.0, ["move", "cleaning"]),
        (16.0, 17.0, ["move", "cleaning"]),
        (20.0, 20.0, ["move", "cleaning"]),
        (20.1, 99.0, ["cleaning"]),
        (30.0, 99.0, ["cleaning"]),
        (30.1, 99.0, []),
    ],
)
def test_a_plan_and_a_span_overlap_from_their_first_to_their_last_second(
    start: float, end: float, kinds: list[str]
) -> None:
    assert [plan.kind for plan in REGISTRY.plans_during("t", start, end)] == kinds


def test_a_tank_without_plans_has_none_during_any_span() -> None:
    assert REGISTRY.plans_during("none", 0.0, 99.0) == ()

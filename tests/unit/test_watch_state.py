"""The watch's state: a save and restore changes no output; invariants of random histories."""

import json
from dataclasses import dataclass
from math import isclose
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.inputs import (
    JournaledMessage,
    ListeningChange,
    OperatorAction,
    Tick,
    WatchInput,
)
from gateway.domain.interpret import Interpreter
from gateway.domain.message import Message, RawEvent, RawReading
from gateway.domain.outputs import IncidentChange, WatchOutput
from gateway.domain.registry import Registry
from gateway.domain.watch import Watch
from gateway.domain.watch.memory.json_codec import from_saved, key_text, to_saved
from gateway.domain.watch.memory.state import DeviceState, ListeningState, TankState, key_of
from gateway.domain.watch.tracks.tamper import Episode
from gateway.domain.watch.tracks.tilt import TiltedSpell
from tests.unit.tank_story import T0, ibc, registry_of

REGISTRY = registry_of([ibc("a"), ibc("b"), ibc("c")], uplink="router")
THEFT = {"seized", "drained", "slashed", "lid_open"}

EVENTS = st.one_of(
    st.builds(lambda ms: RawEvent(0, "motion", {"ms": ms, "mg": 700}), st.integers(0, 60_000)),
    st.builds(lambda deg: RawEvent(0, "tilt", {"deg": deg}), st.integers(0, 90)),
    st.builds(lambda is_open: RawEvent(0, "lid", {"open": is_open}), st.booleans()),
    st.just(RawEvent(0, "still", {})),
)


@dataclass(frozen=True)
class Step:
    """One step of a random history: ``after`` seconds later, this happens."""

    after: int
    what: str
    node: int = 1
    mm: int | None = None
    next_s: int = 900
    mv: int = 3900
    late: int = 0
    events: tuple[RawEvent, ...] = ()
    auth: Any = "mac"


LEVELS = st.one_of(st.none(), st.integers(20, 1150), st.just(1085), st.just(400))
MESSAGES = st.builds(
    Step, after=st.sampled_from([1, 30, 600, 900, 900, 4000]), what=st.just("message"),
    node=st.integers(1, 3), mm=LEVELS, next_s=st.sampled_from([30, 900, 3600]),
    mv=st.integers(3300, 4000), late=st.sampled_from([0, 0, 0, 5000, 60_000]),
    events=st.lists(EVENTS, max_size=2).map(tuple), auth=st.sampled_from(["mac", "sig"]),
)  # fmt: skip
QUIET = st.builds(
    Step,
    after=st.sampled_from([60, 3000, 20_000]),
    what=st.sampled_from(
        ["tick", "stop", "start", "lost", "back", "drained", "close", "moved_by_us", "seen_there"]
    ),
)
HISTORIES = st.lists(st.one_of(MESSAGES, MESSAGES, QUIET), min_size=1, max_size=60)


def inputs(history: list[Step], registry: Registry) -> list[tuple[WatchInput | Step, float]]:
    """The history as inputs; an operator's action stays a ``Step`` until an incident is open."""
    interpreter, now, found = Interpreter(registry), float(T0), []
    newest: dict[int, float] = {}
    for seq, step in enumerate(history, 1):
        now += step.after
        if step.what == "message":
            found.append((_message(interpreter, step, seq, now, newest), now))
        elif step.what == "tick":
            found.append((Tick(now), now))
        elif step.what in ("stop", "start", "lost", "back", "drained"):
            found.append((ListeningChange(step.what, now), now))  # type: ignore[arg-type]
        else:
            found.append((step, now))
    return found


def _message(
    interpreter: Interpreter, step: Step, seq: int, now: float, newest: dict[int, float]
) -> JournaledMessage:
    is_newest = step.late == 0
    message = Message(
        f"node-{step.node}", "t", "aaaaaaaa", 1, seq, "", int(now - T0) + 90_000,
        int(now) - step.late, "ntp", step.next_s, (1, 1), ta_s=5, battery_mv=step.mv,
        readings=(RawReading(0, "mm", step.mm, 4, 7, 7),), events=step.events,
    )  # fmt: skip
    found = interpreter.interpret(message, now, auth=step.auth, newest=is_newest)
    assert found is not None
    return found


def _acted(step: WatchInput | Step, open_ids: list[str], now: float) -> WatchInput:
    """An operator acts on the incident that opened last."""
    if isinstance(step, Step):
        return OperatorAction(open_ids[-1] if open_ids else "none", step.what, now)
    return step


def run(history: list[Step], restore_every: int = 0) -> list[WatchOutput]:
    """All outputs; with ``restore_every``, through JSON into a new watch after so many steps."""
    watch, saved, outputs = Watch(REGISTRY), dict[str, Any](), list[WatchOutput]()
    open_ids: list[str] = []
    for count, (step, now) in enumerate(inputs(history, REGISTRY), 1):
        event = _acted(step, open_ids, now)
        answers = watch.step(event, now)
        open_ids += [
            a.id for a in answers if isinstance(a, IncidentChange) and a.change == "opened"
        ]
        outputs += answers
        if restore_every and count % restore_every == 0:
            changed = json.loads(msgspec.json.encode(watch.dirty()))
            saved = {k: v for k, v in (saved | changed).items() if v is not None}
            watch = Watch(REGISTRY, saved)
    return outputs


@given(HISTORIES, st.integers(1, 7))
def test_a_watch_restored_at_any_point_has_the_same_outputs(
    history: list[Step], every: int
) -> None:
    assert run(history) == run(history, restore_every=every)


@given(HISTORIES)
def test_incidents_are_well_formed_in_every_history(history: list[Step]) -> None:
    opened: set[str] = set()
    numbers: dict[str, int] = {}
    last: dict[str, float] = {}
    for incident in (t for t in run(history) if isinstance(t, IncidentChange)):
        assert isclose(sum(incident.causes.values()), 1.0)
        assert 0 <= incident.probability <= 1
        assert (incident.tank is None) != (incident.uplink is None)
        assert incident.at <= incident.received
        assert incident.received >= last.get("received", 0.0)
        last["received"] = incident.received
        if incident.change == "opened":
            assert incident.id not in opened
            opened.add(incident.id)
        assert incident.change_number == numbers.get(incident.id, 0) + 1
        numbers[incident.id] = incident.change_number


@given(HISTORIES)
def test_each_kind_of_an_incident_alerts_once(history: list[Step]) -> None:
    outputs: set[tuple[str, str, bool]] = set()
    for incident in (t for t in run(history) if isinstance(t, IncidentChange) and t.alert):
        key = (incident.id, incident.kind, incident.change == "closed")
        assert key not in outputs
        outputs.add(key)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 20_000)), min_size=1, max_size=40))
def test_silence_alone_is_never_theft(messages: list[tuple[int, int]]) -> None:
    history = [Step(after, "message", node, mm=400) for node, after in messages]
    outputs = run([*history, Step(500_000, "tick")])
    assert not {t.kind for t in outputs if isinstance(t, IncidentChange)} & THEFT


@given(st.lists(st.integers(0, 880), min_size=3, max_size=3), st.integers(3, 8))
def test_one_dead_network_is_one_message_however_its_nodes_were_phased(
    phases: list[int], rounds: int
) -> None:
    sent = sorted((k * 900 + p, n) for k in range(rounds) for n, p in enumerate(phases, 1))
    history, before = [], 0
    for at, node in sent:
        history.append(Step(at - before, "message", node, mm=400))
        before = at
    outputs = run([*history, Step(100_000, "tick")])
    alerts = [t for t in outputs if isinstance(t, IncidentChange) and t.alert]
    assert [a.kind for a in alerts] == ["network_out"]


@given(st.lists(st.integers(20, 1150), min_size=1, max_size=40), st.integers(2, 40))
def test_late_backlog_never_raises_a_level_alert(levels: list[int], hours: int) -> None:
    history = [Step(900, "message", mm=300), Step(900, "message", mm=300)]
    history += [
        Step(1, "message", mm=mm, late=hours * 3600 - 60 * i) for i, mm in enumerate(levels)
    ]
    outputs = run(history)
    kinds = {t.kind for t in outputs if isinstance(t, IncidentChange)}
    assert not kinds & {"low", "critical", "empty"}


def test_the_state_of_a_tank_stays_small() -> None:
    watch = Watch(REGISTRY)
    history = [Step(600, "message", mm=300 + k % 500, events=()) for k in range(3000)]
    for event, now in inputs(history, REGISTRY):
        assert not isinstance(event, Step)
        watch.step(event, now)
    saved = json.loads(msgspec.json.encode(watch.dirty()))
    assert len(json.dumps(saved["tank:a"])) < 4000
    assert len(json.dumps(saved["profile:a"])) < 12_000


def test_a_state_saved_by_an_earlier_version_is_read() -> None:
    """Saved keys and field names are a stored format: here the names that differ in the code."""
    saved: dict[str, Any] = {
        "ears": {"heard_at": 10.0, "stopped": True, "lost": True, "deaf_since": 9.0},
        "device:node-1": {
            "device": "node-1", "tank": "a", "twins_told": True, "forked_told": ["aaaaaaaa"],
        },
        "tank:a": {
            "tank": "a", "held": True, "aslant": {"at": 5.0, "before": [], "agreeing": 1},
            "episode": {
                "at": 1.0, "last_at": 2.0, "device": "node-1", "fall_told": True, "spoke_at": 3.0,
                "moved_told": True, "witnessed": "close",
            },
        },
    }  # fmt: skip
    records = {key: from_saved(key, record) for key, record in saved.items()}
    assert records["ears"] == ListeningState(10.0, True, True, 9.0)
    assert records["device:node-1"] == DeviceState(
        "node-1", "a", clone_reported=True, reported_forks=["aaaaaaaa"]
    )
    episode = Episode(
        1.0, 2.0, "node-1", loss_reported=True, resumed_at=3.0, motion_reported=True,
        operator_action="close",
    )  # fmt: skip
    assert records["tank:a"] == TankState(
        "a", episode=episode, tilted=TiltedSpell(5.0, [], 1), alert_waits=True
    )
    for key, record in records.items():
        again = json.loads(msgspec.json.encode(to_saved(record)))
        assert key_text(key_of(record)) == key
        kept = {name: again[name] for name in saved[key]} | {"episode": None}
        if spell := saved[key].get("aslant"):  # as much of it as was saved then
            kept["aslant"] = {name: again["aslant"][name] for name in spell}
        assert kept == {**saved[key], "episode": None}
        assert from_saved(key, again) == record

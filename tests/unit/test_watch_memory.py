"""The watch's memory: its index of the registry, its timers, and how incidents change."""

import gc
from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.outputs import Because, IncidentChange, IncidentKind
from gateway.domain.registry import Device, Install, Registry
from gateway.domain.watch.memory import incidents
from gateway.domain.watch.memory.context import Timer, WatchContext
from gateway.domain.watch.memory.state import Incident, Promise
from gateway.evaluation.assumed import ASSUMED
from tests.unit.tank_story import T0, ibc


def context_of(*devices: tuple[Device, ...], tanks: int = 4) -> WatchContext:
    """A context with these rows of each device, and every device known by a message."""
    rows = [ibc(f"tank-{n}") for n in range(1, tanks + 1)]
    registry = Registry(
        tanks={row.id: (row,) for row in rows}, devices={rows[0].id: rows for rows in devices}
    )
    context = WatchContext(registry, None, ASSUMED)
    context.now = T0
    for device in devices:
        record = context.device(device[0].id, device[0].tank)
        record.promises = [Promise("aaaaaaaa", 1, 1, T0, T0, 900, 0.0)]
    return context


def node(number: int, **fields: Any) -> Device:
    row = Device(f"node-{number}", f"tank-{number}", key=bytes(32), uplink="router")
    return replace(row, **fields)


def named(number: int) -> str:
    """A node's name that is equal to the registry's, and not the same object."""
    return f"node-{number}"


def test_the_neighbours_of_a_node_are_the_others_on_its_uplink() -> None:
    context = context_of((node(1),), (node(2),), (node(3, uplink="other"),), (node(4),))
    assert [d.device for d in context.neighbours(named(1))] == ["node-2", "node-4"]
    assert [d.device for d in context.on_uplink("router")] == ["node-1", "node-2", "node-4"]
    assert context.neighbours(named(3)) == [], "it has its uplink to itself"
    assert context.uplink_of(named(3)) is None


def test_a_node_that_never_sent_is_no_neighbour() -> None:
    context = context_of((node(1),), (node(2),))
    context.devices["node-2"].promises = []
    assert context.neighbours(named(1)) == []


def test_the_newest_row_of_a_node_names_its_uplink() -> None:
    moved = (node(1, uplink="old"), node(1, uplink="new"))
    context = context_of(moved, (node(2, uplink="new"),), (node(3, uplink="old"),))
    assert context.uplink_of(named(1)) == "new"
    assert [d.device for d in context.neighbours(named(1))] == ["node-2"]
    assert context.uplink_of(named(3)) is None


def test_a_revoked_node_is_on_no_uplink_and_signs_nothing_and_hides_no_other() -> None:
    context = context_of((node(1, revoked=True),), (node(2),), (node(3),))
    assert [d.device for d in context.neighbours(named(2))] == ["node-3"]
    assert [context.is_keyed(f"tank-{n}") for n in (1, 2, 3, 4)] == [False, True, True, False]


def test_an_uplink_whose_only_node_is_revoked_has_nobody() -> None:
    context = context_of((node(1, revoked=True),))
    assert context.uplink_of(named(1)) is None
    assert context.neighbours(named(1)) == []


def test_an_unsigned_feed_signs_nothing_and_has_every_node_as_its_neighbour() -> None:
    feed = node(2, key=None, unsigned=True)
    context = context_of((node(1),), (feed,), (node(3),))
    assert not context.is_keyed("tank-2")
    assert [d.device for d in context.neighbours(named(1))] == ["node-3"]
    assert [d.device for d in context.neighbours(named(2))] == ["node-1", "node-3"]


def test_a_node_signs_for_the_tank_in_which_it_is_installed() -> None:
    context = context_of((node(1),))
    install = Install("node-1", "tank-3", T0 + 500.0)
    context.set_registry(replace(context.registry, installs={"node-1": (install,)}))
    assert [context.is_keyed(f"tank-{n}") for n in (1, 3)] == [False, True]


def test_the_row_of_a_tank_is_the_one_in_force_now() -> None:
    context = context_of(tanks=1)
    first, second = ibc("tank-1"), ibc("tank-1", since=T0 + 100.0, capacity_l=600.0)
    context.set_registry(Registry(tanks={"tank-1": (first, second)}))
    assert context.tank_row("tank-1") == first
    context.now = T0 + 100.0
    assert context.tank_row("tank-1") == second
    assert context.tank_row("tank-2") is None


def test_the_tanks_of_a_site_are_those_with_a_record() -> None:
    context = context_of(tanks=3)
    other = ibc("tank-4", site="south")
    context.set_registry(Registry(tanks={**context.registry.tanks, "tank-4": (other,)}))
    for tank in ("tank-1", "tank-3", "tank-4"):
        context.tank(tank)
    row = context.tank_row("tank-1")
    assert row is not None
    assert [record.tank for record, _ in context.site_tanks(row)] == ["tank-1", "tank-3"]


def fire_all(context: WatchContext) -> list[tuple[float, str]]:
    """The timers in the order in which they fire."""
    fired: list[tuple[float, str]] = []
    while timer := context.next_timer():
        context.take_timer(timer)
        fired.append((timer.at, timer.name))
    return fired


def test_timers_fire_in_order_each_once_at_the_time_set_last() -> None:
    context = context_of((node(1),))
    device = context.devices["node-1"]
    for name, times in {
        "late": (50.0, 10.0, 30.0), "silent": (40.0,), "wait": (20.0, None),
        "again": (25.0, None, 25.0), "sooner": (60.0, 5.0), "later": (1.0, 45.0),
    }.items():  # fmt: skip
        for due in times:
            context.set_timer(device, name, due)
    expected = [
        (5.0, "sooner"), (25.0, "again"), (30.0, "late"), (40.0, "silent"), (45.0, "later"),
    ]  # fmt: skip
    assert fire_all(context) == expected
    assert device.due == {}


def test_a_timer_is_due_at_its_own_time_and_not_before() -> None:
    context = context_of((node(1),))
    context.set_timer(context.devices["node-1"], "late", 50.0)
    assert context.next_timer(49.9) is None
    assert context.next_timer(50.0) == Timer(50.0, ("device", "node-1"), "late")


def test_timers_that_are_brought_forward_again_and_again_stay_few() -> None:
    context = context_of(*((node(n),) for n in range(1, 17)), tanks=16)
    for n in range(1, 17):
        context.tank(f"tank-{n}")
    device = context.devices["node-1"]
    context.set_timer(context.tank("tank-1"), "hour", 7.0)

    def bring_forward(first: int, until: int) -> int:
        """How many timers of the device are in memory after it."""
        for step in range(first, until):
            context.set_timer(device, "late", 9000.0 - step)
        late = Timer(0.0, ("device", "node-1"), "late")
        return sum(isinstance(o, Timer) and o[1:] == late[1:] for o in gc.get_objects()) - 1

    assert bring_forward(0, 511) == 256 + 8 * (16 + 16) - 1, "and the hour"
    assert bring_forward(511, 512) == 1
    assert bring_forward(512, 2000) < 512
    assert fire_all(context) == [(7.0, "hour"), (7001.0, "late")]


def opened(kind: IncidentKind = "silent", **fields: Any) -> tuple[WatchContext, Incident]:
    """An incident that was opened with an alert at T0."""
    context = context_of(tanks=1)
    incidents.report(
        context, "silent", "node-1", at=T0 - 900.25, kind=kind, probability=0.8,
        causes={"battery": 0.2}, because=[Because("silence", 1.0, "measured")], tank="tank-1",
        **fields,
    )  # fmt: skip
    incident = context.open_incident("silent", "node-1")
    assert incident is not None
    return context, incident


def last(context: WatchContext) -> IncidentChange:
    found = context.outputs[-1]
    assert isinstance(found, IncidentChange)
    return found


def test_the_identity_of_an_incident_never_changes() -> None:
    _, incident = opened()
    assert incident.id == "vvx2ffoqwl"


def report(
    context: WatchContext, kind: IncidentKind, probability: float, *terms: str, **fields: Any
) -> list[str]:
    """The changes that another report of the incident makes."""
    context.outputs = []
    incidents.report(
        context, "silent", "node-1", at=T0, kind=kind, probability=probability, causes={},
        because=[Because(term, 1.0, "measured") for term in terms], **fields,
    )  # fmt: skip
    changes = [o for o in context.outputs if isinstance(o, IncidentChange)]
    return [f"{c.change} {c.kind}{'!' if c.alert else ''}" for c in changes]


@pytest.mark.parametrize(
    ("kind", "probability", "terms", "changes"),
    [
        ("silent", 0.8, ["silence"], []),
        ("silent", 0.8999, ["silence"], []),
        ("silent", 0.9001, ["silence"], ["updated silent"]),
        ("silent", 0.7001, ["silence"], []),
        ("silent", 0.6999, ["silence"], ["updated silent"]),
        ("silent", 0.8, ["silence", "on_mains"], ["updated silent"]),
        ("silent", 0.8, [], ["updated silent"]),
        ("battery", 0.8, ["silence"], ["updated battery!"]),
    ],
)
def test_an_incident_is_updated_by_a_tenth_by_other_terms_or_by_another_kind(
    kind: IncidentKind, probability: float, terms: list[str], changes: list[str]
) -> None:
    context, _ = opened()
    assert report(context, kind, probability, *terms) == changes


def test_an_alert_about_one_kind_of_loss_covers_the_other() -> None:
    context, _ = opened("drained")
    assert report(context, "slashed", 0.8) == ["updated slashed"]
    assert report(context, "seized", 0.8) == ["updated seized!"]


def test_what_was_opened_without_an_alert_alerts_when_it_may() -> None:
    context, _ = opened(alert=False)
    assert not last(context).alert
    assert report(context, "silent", 0.95, "silence") == ["updated silent!"]


def test_figures_are_added_to_those_before() -> None:
    context, incident = opened(figures={"battery_mv": 3600, "devices": 1})
    report(context, "silent", 0.95, figures={"devices": 2})
    assert incident.figures == {"battery_mv": 3600, "devices": 2}


@pytest.mark.parametrize(("devices", "changes"), [(3, 0), (2, 1), (4, 1)])
def test_only_other_figures_amend_an_incident_and_alert_nobody(devices: int, changes: int) -> None:
    context, incident = opened(figures={"devices": 3, "tanks": 1})
    context.outputs = []
    context.dirty()
    incidents.amend(context, incident, figures={"devices": devices})
    assert len(context.outputs) == changes
    assert (f"incident:{incident.id}" in context.dirty()) is bool(changes)
    assert incident.figures == {"devices": devices, "tanks": 1}
    if changes:
        found = last(context)
        assert (found.change, found.alert, found.change_number) == ("updated", False, 2)


def test_a_closed_incident_is_gone_and_says_why() -> None:
    context, incident = opened(figures={"devices": 3})
    incidents.close(context, incident, why="speaks", figures={"lasted_s": 60.0})
    found = last(context)
    assert (found.change, found.alert, found.change_number) == ("closed", False, 2)
    assert found.figures == {"devices": 3, "lasted_s": 60.0, "closed_why": "speaks"}
    assert context.open_incident("silent", "node-1") is None
    assert context.dirty()[f"incident:{incident.id}"] is None

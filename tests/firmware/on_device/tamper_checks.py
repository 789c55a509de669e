"""Tampering, with a scripted accelerometer: events, charge spent, armed pins."""

import random

import measure_checks
from drivers.lis3dh import LIS3DHError
from flash import Flash
from node.measure import tamper
from node.policy import schedule, wake_pins
from node.storage import clock, records
from node.storage.queue import Queue
from node.storage.ring import Ring

STILL, CARRIED, TILTED = "still", "carried", "lying"


class _Time:
    def sleep_ms(self, duration_ms):
        pass


tamper.time = _Time()


class Chip:
    """A LIS3DH whose samples follow ``does``."""

    def __init__(self):
        self.does = STILL
        self.armed = False
        self.armed_for = None
        self.up = 0, 0, 1000

    def _axes(self):
        shake = 400 if self.does == CARRIED else 4
        upright = (900, 0, 430) if self.does == TILTED else self.up
        return tuple(axis + random.randint(-shake, shake) for axis in upright)

    def arm(self, rest):
        self.armed, self.armed_for = True, rest

    def stream(self):
        self.armed = False

    def samples(self):
        return [self._axes() for _ in range(12)]

    def read_mg(self):
        return (900, 0, 430) if self.does == TILTED else self.up


class Pin:
    def __init__(self):
        self.high = False

    def active(self):
        return self.high


class Board:
    def __init__(self):
        self.chip = Chip()
        self.motion, self.tilt, self.lid = Pin(), Pin(), Pin()
        self.woken = False
        self.now = 1_795_212_000

    def accelerometer(self):
        if self.chip.does == "silent":
            return None
        return self.chip

    def woke_by_pin(self):
        return self.woken

    def rtc_s(self):
        return self.now


class Node:
    """A node's hands over a ring in memory."""

    def __init__(self, **config):
        random.seed(3)
        self.board = Board()
        self.queue = Queue(Ring(Flash(8)), "test")
        self.state = self.queue.state
        clock.begin(self.state, self.board.now)
        self.config = measure_checks._config(**config)
        self.wake_pins_ = wake_pins.WakePins(self.board, self.config, self.state)
        self.reports = 0
        self.start()

    def start(self):
        self.tamper_watch = tamper.TamperWatch(
            self.board, self.config, self.queue, self._request_report
        )
        self.tamper_watch.set_up()

    def _request_report(self):
        self.reports += 1

    def wake(self, after_s, does=STILL, by_pin=False):
        """One wake; returns its events."""
        self.board.now += after_s
        self.board.chip.does = does
        self.board.motion.high = does == CARRIED
        self.board.woken = by_pin
        self.tamper_watch = tamper.TamperWatch(
            self.board, self.config, self.queue, self._request_report
        )
        start = self.queue.ring.tail
        self.tamper_watch.check()
        return [
            records.event_parts(record.payload)[1]
            for record in self.queue.ring.records(start)
            if record.kind == records.EVENT
        ]


def test_hands_begin_recovery_mode_which_ends_ten_minutes_after_them():
    node = Node()
    events = node.wake(600, CARRIED, by_pin=True)
    assert len(events) == 1 and '"ms":5' in events[0] and node.state.recovery and node.reports == 1
    assert node.wake(30, CARRIED) and node.wake_pins_.armed() == ()
    assert [node.wake(30) for _ in range(19)] == [[]] * 19
    assert node.wake(30) == ['"k":"still"'] and not node.state.recovery
    assert node.wake_pins_.armed() == ("tilt", "motion")


def test_one_bump_is_one_quiet_event():
    node = Node()
    events = node.wake(600, STILL, by_pin=True)
    assert len(events) == 1 and '"k":"motion","ms":0' in events[0]
    assert not node.state.recovery and node.reports == 0 and not node.state.pending


def test_without_budget_tampering_is_reported_but_does_not_begin_recovery():
    node = Node()
    node.state.spent_uah = 59_900
    events = node.wake(600, CARRIED, by_pin=True)
    assert len(events) == 1 and not node.state.recovery
    assert node.reports == 0  # with the next report: a report of its own cannot be paid
    node.state.spent_uah = 40_000
    node.wake(600, CARRIED, by_pin=True)
    assert not node.state.recovery and node.reports == 1


def test_recovery_that_uses_up_its_budget_is_reported():
    node = Node()
    node.wake(600, CARRIED, by_pin=True)
    node.state.spent_uah = 59_900
    assert node.wake(30, CARRIED)[-1] == '"k":"fault","s":"recovery","c":"budget"'
    assert not node.state.recovery


def test_recovery_that_was_ordered_costs_no_budget():
    node = Node()
    node.state.spent_uah = 59_900
    schedule.begin_recovery(node.state, node.board.now - node.state.mark_rtc, schedule.ORDERED)
    node.wake(30, CARRIED)
    assert node.state.recovery and node.state.spent_uah == 59_900


def test_recovery_of_its_own_ends_at_the_reserve_voltage():
    node = Node()
    node.wake(600, CARRIED, by_pin=True)
    node.state.low = 1
    assert node.wake(30, CARRIED)[-1] == '"k":"fault","s":"recovery","c":"reserve"'
    assert not node.state.recovery
    node.wake(600, CARRIED, by_pin=True)
    assert not node.state.recovery  # and does not begin below it


def test_on_mains_there_is_no_budget():
    node = Node(battery=False)
    node.state.spent_uah, node.state.looked = 59_900, 1320
    node.wake(600, CARRIED, by_pin=True)
    assert node.state.recovery


def test_bumps_without_end_leave_tilt_and_lid_to_wake_it():
    node = Node(lid="reed")
    bumps = 0
    while "motion" in node.wake_pins_.armed():
        node.wake(5, STILL, by_pin=True)
        bumps += 1
    assert 60 <= bumps <= 64 and node.wake_pins_.armed() == ("lid", "tilt")
    node.wake(900)
    assert node.wake_pins_.armed() == ("lid", "tilt", "motion")


def _near(one, other):
    """Within a step of what is kept, 16 mg."""
    return max(abs(a - b) for a, b in zip(one, other)) <= 16  # noqa: B905 - MicroPython


def test_the_orientation_at_the_first_start_is_upright():
    node = Node()
    node.board.chip.up = 500, 0, 866
    assert _near(node.tamper_watch.rest, (0, 0, 1000))
    again = Node(rest=[500, 0, 866])
    assert again.board.chip.armed_for == (500, 0, 866)
    node.start()
    assert _near(node.board.chip.armed_for, (0, 0, 1000))  # a later start does not learn again


def test_a_tank_that_moves_at_its_first_start_learns_at_the_next():
    node = Node()
    node.state.rest = bytes(3)
    node.board.chip.does = CARRIED
    node.start()
    assert node.state.rest == bytes(3) and node.board.chip.armed_for == (0, 0, 1000)
    node.board.chip.does, node.board.chip.up = STILL, (0, 500, 866)
    node.start()
    assert _near(node.board.chip.armed_for, (0, 500, 866))


def test_a_chip_that_lost_its_supply_is_armed_again():
    node = Node()
    node.board.chip.armed = False
    assert node.wake(600) == [] and node.board.chip.armed


def test_a_chip_that_fails_during_a_check_is_reported():
    node = Node()

    def fails():
        raise LIS3DHError("missing", "gone")

    node.board.chip.samples = fails
    assert node.wake(600, CARRIED, by_pin=True) == ['"k":"fault","s":"motion","c":"missing"']


def test_what_begins_after_the_look_shortens_the_sleep():
    node = Node(lid="reed")
    node.wake(600)
    assert node.wake_pins_.sleep_s(600) == 600
    node.board.motion.high = True
    assert node.wake_pins_.sleep_s(600) == 5
    node.board.motion.high, node.board.lid.high = False, True
    assert node.wake_pins_.sleep_s(600) == 5


def test_a_lid_is_reported_when_it_opens_and_closes_but_not_at_first():
    node = Node(lid="light")
    node.board.lid.high = True  # dark: closed
    assert node.wake(600) == []
    node.board.lid.high = False
    events = node.wake(600)
    assert events[0] == '"k":"lid","open":true' and len(events) == 2 and node.reports == 1
    assert node.wake(600) == []
    node.board.lid.high = True
    assert node.wake(600) == ['"k":"lid","open":false'] and node.reports == 2

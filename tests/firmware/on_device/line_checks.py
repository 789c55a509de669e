"""Lines that lie: what a wake line that proves itself broken costs, and what is reported."""

from node.measure import tamper
from node.storage import records
from tamper_checks import STILL, Node


def _faults(events):
    return [event for event in events if '"fault"' in event]


def test_a_high_line_beside_a_silent_accelerometer_wakes_it_a_dozen_times_and_is_reported():
    node = Node()
    node.wake(600)
    told, wakes = [], 0
    while node.wake_pins_.sleep_s(600) == 5 or not wakes:
        node.board.motion.high = True
        told += _faults(_high(node, 5))
        wakes += 1
        assert wakes < 20
    assert wakes == 12 and told == [
        '"k":"fault","s":"motion","c":"missing"', '"k":"fault","s":"motion","c":"stuck"'
    ] and node.state.pending  # fmt: skip
    assert node.wake_pins_.armed() == ("tilt",)
    for _ in range(24 * 6):  # a day later it is still high: still not armed
        told = _faults(_high(node, 600))
        assert told == [] and node.wake_pins_.armed() == ("tilt",)
    assert node.wake(600) == [
        '"k":"fault","s":"motion","c":"ok"', '"k":"fault","s":"motion","c":"ok"'
    ]  # fmt: skip
    assert node.wake_pins_.armed() == ("tilt", "motion")


def _high(node, after_s, does="silent"):
    """One wake with INT1 high, whatever the accelerometer does."""
    node.board.now += after_s
    node.board.chip.does, node.board.motion.high = does, True
    node.tamper_watch = tamper.TamperWatch(
        node.board, node.config, node.queue, node._request_report
    )
    start = node.queue.ring.tail
    node.tamper_watch.check()
    return [
        records.event_parts(record.payload)[1]
        for record in node.queue.ring.records(start)
        if record.kind == records.EVENT
    ]


def test_a_high_line_beside_a_still_accelerometer_is_found_out_too():
    node = Node(battery=False)  # on mains no other budget ends it
    told = []
    for _ in range(12):
        assert node.wake_pins_.sleep_s(600) == (5 if node.board.motion.high else 600)
        told += _faults(_high(node, 5, STILL))
    assert told == ['"k":"fault","s":"motion","c":"stuck"'] and node.wake_pins_.sleep_s(600) == 600


def test_a_floating_tilt_line_is_disarmed_and_gets_another_chance_half_a_day_later():
    node = Node()
    told = []
    for _ in range(200):
        if "tilt" not in node.wake_pins_.armed():
            break
        told += _faults(node.wake(30, "silent", by_pin=True))
    assert '"k":"fault","s":"tilt","c":"floating"' in told and node.wake_pins_.armed() == ()
    for _ in range(13):
        told = _faults(node.wake(3600, "silent"))
    assert "tilt" in node.wake_pins_.armed()


def test_a_floating_lid_line_uses_up_its_changes_and_the_rest_goes_on():
    node = Node(lid="reed")
    told, events = [], 0
    for number in range(100):
        node.board.lid.high = bool(number % 2)
        found = node.wake(60)
        events += sum('"lid","open"' in event for event in found)
        told += _faults(found)
    assert told == ['"k":"fault","s":"lid","c":"floating"'] and 23 <= events <= 25
    assert node.wake_pins_.armed() == ("tilt", "motion") and node.wake_pins_.sleep_s(600) == 600


def test_a_day_of_people_at_the_lid_is_no_broken_line():
    node = Node(lid="reed")
    for number in range(40):
        node.board.lid.high = bool(number % 2)
        assert not _faults(node.wake(2400))
    assert "lid" in node.wake_pins_.armed()


def test_knocks_that_use_up_the_checks_are_reported_once():
    node = Node()
    told = []
    for _ in range(80):
        told += _faults(node.wake(5, STILL, by_pin="motion" in node.wake_pins_.armed()))
    assert told == ['"k":"fault","s":"motion","c":"budget"']

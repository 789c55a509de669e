"""A fix is sent once, then zeroed on flash; a power cut in the middle costs nothing."""

from flash import Flash, PowerCut
from node.policy import location
from node.storage import records
from node.storage.queue import Queue
from node.storage.ring import Ring
from node.storage.state import State

ERA = b"abcdefgh"
FIX = '"k":"fix","lat":5095123,"lon":185512,"acc":4'


def _queue(flash):
    queue = Queue(Ring(flash), "0.1.0")
    if queue.fresh:
        queue.state.boot = 1
        queue.open_era(ERA)
    return queue


def _seal_with_fix(queue):
    """A sample, a fix, a lid, sealed; then a sample that is not."""
    queue.add_sample(records.Sample(1, "mm", 431, 1, 7, 7))
    queue.add_event(2, FIX)
    queue.add_event(2, '"k":"lid","open":true')
    head = queue.seal(3, 900)
    queue.add_sample(records.Sample(4, "mm", 432, 1, 7, 7))
    return head


def _kinds(queue):
    return [record.kind for record in queue.ring.records() if record.kind != records.STATE]


def _samples(queue):
    kept = [r for r in queue.ring.records() if r.kind == records.SAMPLE]
    return [records.sample(r.payload).value for r in kept]


def test_a_fix_that_was_signed_for_is_nowhere_on_flash():
    flash = Flash(4)
    queue = _queue(flash)
    head = _seal_with_fix(queue)
    assert b"5095123" in b"".join(flash.image())
    queue.free(head.pos + 1, False)
    queue.save()
    assert b"5095123" not in b"".join(flash.image()) and b"fix" not in b"".join(flash.image())
    assert b"lid" in b"".join(flash.image())


def test_what_follows_a_zeroed_fix_is_read_as_before():
    flash = Flash(4)
    queue = _queue(flash)
    head = _seal_with_fix(queue)
    queue.free(head.pos + 1, False)
    again = _queue(flash)
    assert _kinds(again) == [2, records.ZEROED, 3, 4, 2] and _samples(again) == [431, 432]
    assert (again.state.seq, again.state.unsealed_count) == (1, 1)
    assert again.seal(9, 900).seq == 2
    assert again.object(list(again.messages())[1]) is not None


def test_a_message_with_a_zeroed_fix_is_never_sent_again():
    queue = _queue(Flash(4))
    head = _seal_with_fix(queue)
    assert queue.object(head) is not None
    queue.free(head.pos + 1, False)
    assert queue.object(head) is None


def test_a_fix_that_nobody_signed_for_stays():
    queue = _queue(Flash(4))
    head = _seal_with_fix(queue)
    queue.free(head.pos, False)
    assert queue.object(head) is not None


def test_a_cut_at_every_byte_of_the_zeroing_loses_nothing():
    cuts = 0
    for cut in range(200):
        flash = Flash(4)
        queue = _queue(flash)
        head = _seal_with_fix(queue)
        flash.cut = cut
        try:
            queue.free(head.pos + 1, False)
        except PowerCut:
            cuts += 1
        flash.cut = None
        again = _queue(flash)
        assert _samples(again) == [431, 432], cut
        assert (again.state.seq, again.state.unsealed_count) == (1, 1), cut
        again.free(head.pos + 1, False)  # the ack is published again
        assert b"5095123" not in b"".join(flash.image()), cut
        assert _samples(_queue(flash)) == [431, 432], cut
    assert cuts > 40


def _recovering(since, up):
    state = State()
    state.recovery, state.recovery_up, state.last_up = 1, since, up
    return state


def test_a_place_is_looked_for_in_recovery_mode_only():
    assert not location.due(State(), 0, 40)


def test_the_wake_that_enters_the_mode_reports_first():
    assert not location.due(_recovering(100, 100), 100, 100)


def test_a_place_is_looked_for_at_the_second_wake_and_each_five_minutes():
    ups = [100 + 30 * number for number in range(31)]
    state = _recovering(100, 100)
    looked = [up for up in ups[1:] if location.due(state, up - 30, up)]
    assert looked == [130, 430, 730]


def test_the_event_has_the_position_in_integers():
    class Fix:
        lat, lon, acc = 5095123, -185512, 4

    assert location.event(Fix) == '"k":"fix","lat":5095123,"lon":-185512,"acc":4'

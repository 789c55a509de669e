"""The ring and the queue over it, with the power cut at random bytes."""

import json
import random

from flash import Flash, PowerCut
from node.storage import envelope, records
from node.storage.queue import Queue
from node.storage.ring import Ring


def _samples(queue):
    found = []
    for record in queue.ring.records():
        if record.kind == records.SAMPLE:
            found.append(records.sample(record.payload).value)
    return found


def _queue(flash):
    queue = Queue(Ring(flash), "0.1.0")
    if queue.fresh:
        queue.state.boot = 1
        queue.open_era(b"abcdefgh")
    return queue


def _object(queue, head):
    """The OBJECT of a message in one piece; None if flash lost part of it."""
    parts = queue.object(head)
    return parts and b"".join(parts)


def _add(queue, value):
    queue.add_sample(records.Sample(value, "mm", value, 1, 7, 7))


def test_what_was_appended_is_read_again_in_order():
    flash = Flash(4)
    queue = _queue(flash)
    for value in range(300):
        _add(queue, value)
    assert _samples(_queue(flash)) == list(range(300))


def test_the_ring_turns_and_keeps_the_newest_sectors():
    flash = Flash(4)
    ring = Ring(flash)
    for number in range(3000):
        ring.append(9, number.to_bytes(4, "big"))
    again = Ring(flash)
    kept = [int.from_bytes(r.payload, "big") for r in again.records() if r.kind == 9]
    assert kept == list(range(kept[0], 3000))
    # One sector in four has left and waits for its erase, one is being filled.
    assert len(kept) > 2 * ((4096 - 19) // 11)
    assert again.tail == ring.tail and again.first == ring.first


def test_garbage_on_a_new_flash_is_not_taken_for_records():
    flash = Flash(4)
    random.seed(3)
    flash.restore([bytes(random.getrandbits(8) for _ in range(4096)) for _ in range(4)])
    assert Queue(Ring(flash), "0.1.0").fresh
    queue = _queue(flash)
    _add(queue, 7)
    assert _samples(_queue(flash)) == [7]


def test_a_payload_too_long_is_named():
    try:
        Ring(Flash(4)).append(9, bytes(501))
    except ValueError as error:
        assert "501" in str(error)
    else:
        raise AssertionError("accepted")


def _work(queue, value, kept):
    """Append, and now and then seal. ``kept`` are the values whose append returned."""
    _add(queue, value)
    kept.append(value)
    if value % 20 == 19:
        queue.seal(value, 900)
        queue.save()


def test_a_cut_at_any_byte_loses_nothing_that_was_appended():
    """300 cuts: what returned is there, what was under way is there whole or not at all."""
    random.seed(1)
    flash, kept, value = Flash(16), [], 0
    queue = _queue(flash)
    for _ in range(300):
        flash.cut = random.randint(0, 700)
        try:
            while True:
                _work(queue, value, kept)
                value += 1
        except PowerCut:
            flash.cut = None
        queue = _queue(flash)
        found = _samples(queue)
        wanted = [v for v in kept if v >= found[0]]
        assert [v for v in found if v != value] == [v for v in wanted if v != value]
        value += 1
    assert flash.erases > 16  # the cuts also fell into turns of the ring


def test_a_cut_leaves_the_chain_whole():
    """300 cuts while sealing: every message rebuilds and carries the hash of the one before."""
    random.seed(2)
    flash, value = Flash(64), 0
    queue = _queue(flash)
    for _ in range(300):
        flash.cut = random.randint(0, 500)
        try:
            while True:
                _add(queue, value)
                queue.seal(value, 900)
                queue.save()
                value += 1
        except PowerCut:
            flash.cut = None
        queue = _queue(flash)
    before = b""
    identities = []
    for head in queue.messages(queue.state.run):
        obj = _object(queue, head)
        assert obj is not None, head.identity
        assert not identities or head.prev == before
        before = envelope.digest(obj)
        identities.append(head.identity)
    first = identities[0][1]
    assert identities == [(1, seq) for seq in range(first, first + len(identities))]
    assert (queue.state.boot, queue.state.seq) == identities[-1]
    assert queue.state.prev == before


def test_a_torn_tail_seals_its_sector():
    flash = Flash(4)
    queue = _queue(flash)
    _add(queue, 1)
    flash.cut = 9
    try:
        _add(queue, 2)
    except PowerCut:
        flash.cut = None
    queue = _queue(flash)
    sector = queue.ring.last
    _add(queue, 3)
    assert queue.ring.last == sector + 1
    assert _samples(_queue(flash)) == [1, 3]


def test_a_resend_after_a_restart_spells_the_same_bytes():
    flash = Flash(16)
    queue = _queue(flash)
    sent = {}
    for value in range(200):
        _add(queue, value)
        if value % 7 == 0:
            queue.add_event(value, '"k":"motion","ms":%d' % value)
        if value % 13 == 12:
            head = queue.seal(value, 900, 3987, -70)
            sent[head.identity] = _object(queue, head)
    again = Queue(Ring(flash), "0.2.0 a later build")
    rebuilt = {head.identity: _object(again, head) for head in again.messages()}
    assert rebuilt == sent and len(sent) == 15
    assert all(len(obj) <= 2048 for obj in sent.values())


def test_a_long_silence_is_sealed_into_messages_that_fit():
    flash = Flash(16)
    queue = _queue(flash)
    for value in range(300):
        _add(queue, value)
    queue.seal(70000, 900, 3987, -70)
    sizes, readings = [], 0
    for head in queue.messages():
        obj = _object(queue, head)
        sizes.append(len(obj))
        readings += len(json.loads(obj)["r"])
        assert all(0x20 <= byte <= 0x7E and byte != 0x5C for byte in obj)
    assert readings == 300 and queue.state.unsealed_count == 0
    assert max(sizes) <= 2048 and min(sizes[:-1]) > 1900


def test_old_names_the_first_message_of_the_run():
    queue = _queue(Flash(16))
    for value in range(5):
        _add(queue, value)
        queue.seal(value, 900)
    olds = [json.loads(_object(queue, head))["old"] for head in queue.messages()]
    assert olds == [[1, 1]] * 5


def test_what_a_full_flash_drops_is_declared():
    flash = Flash(5)
    queue = _queue(flash)
    for value in range(1500):
        _add(queue, value)
        if value % 20 == 19:
            queue.seal(value, 900)
            queue.save()
    queue.seal(1500, 900)
    readings, dropped = 0, 0
    held = [head for head in queue.messages() if _object(queue, head)]
    newest = json.loads(_object(queue, held[-1]))
    assert newest["old"] == list(held[0].identity) and newest["old"] != [1, 1]
    for head in held:
        obj = json.loads(_object(queue, head))
        readings += len(obj["r"])
        for event in obj.get("e", []):
            dropped += event["n"]
            assert event["k"] == "gap" and event["s"] > 0
    # A gap event that is dropped in turn is declared again by the one after it.
    assert dropped + queue.state.gap_n == 1500 - readings > 0, (dropped, readings)


def test_freed_messages_are_dropped_without_a_word():
    queue = _queue(Flash(5))
    for value in range(1500):
        _add(queue, value)
        if value % 20 == 19:
            queue.seal(value, 900)
            queue.free(queue.ring.tail, False)
            queue.save()
    for record in queue.ring.records():
        assert not (record.kind == records.EVENT and records.is_gap(record.payload))


def test_counters_go_on_after_a_restart():
    flash = Flash(4)
    queue = _queue(flash)
    _add(queue, 1)
    first = queue.seal(1, 900)
    queue = _queue(flash)
    _add(queue, 2)
    second = queue.seal(2, 900)
    assert (first.identity, second.identity) == ((1, 1), (1, 2))
    assert second.prev == first.digest and second.era == b"abcdefgh"


def test_records_behind_damage_that_no_power_cut_makes_start_a_new_era():
    """A number may have been given that cannot be read any more: it must not be given again."""
    flash = Flash(8)
    queue = _queue(flash)
    for value in range(9):
        _add(queue, value)
        queue.seal(value, 900)
    third = list(queue.messages())[2]
    flash.writeblocks(third.pos // 4096 % 8, bytes(16), third.pos % 4096 + 50)
    queue = Queue(Ring(flash), "0.1.0")
    assert queue.ring.damaged and queue.state.era == bytes(8)
    again = Queue(Ring(flash), "0.1.0")
    assert not again.ring.damaged and again.state.era == bytes(8)


def test_sealing_ends_though_flash_does_not_yield_what_was_counted():
    queue = _queue(Flash(8))
    for value in range(5):
        _add(queue, value)
    queue.state.unsealed_count = 9
    head = queue.seal(9, 900)
    assert head.count == 5 and queue.state.unsealed_count == 0 and queue.state.gap_n == 4

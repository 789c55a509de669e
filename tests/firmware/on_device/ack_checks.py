"""What a node believes of an ack: forged, stale, future and foreign ones free nothing."""

from flash import Flash
from node.exchange import acks
from node.storage import envelope, records
from node.storage.queue import FORMER_TRIES, RESENDS, Queue
from node.storage.ring import Ring
from sealing import seal

KEY = envelope.Key(bytes(range(32)))
TOPIC = "noria/1/k7f3q5/ack"
ERA = b"abcdefgh"


def _queue(messages):
    queue = Queue(Ring(Flash(16)), "0.1.0")
    queue.state.boot = 1
    queue.open_era(ERA)
    for value in range(messages):
        queue.add_sample(records.Sample(value, "mm", value, 1, 7, 7))
        queue.seal(value, 900)
    return queue


def _ack(head, era=ERA, h=None, identity=None):
    boot, seq = identity or head.identity
    h = envelope.b64url(head.digest).decode() if h is None else h
    return acks.Ack(era.decode(), boot, seq, h, 1795212003)


def _held(queue):
    return [head for head in queue.messages() if not queue.freed(head)]


def _take(queue, ack):
    verdict = acks.judge(queue, ack)
    if verdict.kind == acks.FREES:
        queue.free(verdict.pos, verdict.former)
    return verdict


def test_an_ack_frees_everything_up_to_its_message():
    queue = _queue(5)
    heads = list(queue.messages())
    assert _take(queue, _ack(heads[2])).kind == acks.FREES
    assert [head.identity for head in _held(queue)] == [(1, 4), (1, 5)]


def test_an_ack_of_the_newest_frees_all():
    queue = _queue(5)
    _take(queue, _ack(list(queue.messages())[-1]))
    assert _held(queue) == []


def test_acks_never_go_back():
    queue = _queue(5)
    heads = list(queue.messages())
    _take(queue, _ack(heads[3]))
    _take(queue, _ack(heads[1]))
    assert [head.identity for head in _held(queue)] == [(1, 5)]


def test_an_ack_known_only_by_the_next_messages_prev_is_believed():
    queue = _queue(5)
    heads = list(queue.messages())
    ack = _ack(None, h=envelope.b64url(heads[3].prev).decode(), identity=heads[2].identity)
    _take(queue, ack)
    assert [head.identity for head in _held(queue)] == [(1, 4), (1, 5)]


def test_a_forged_mac_is_ignored():
    obj = b'{"v":1,"era":"abcdefgh","boot":1,"seq":5,"h":"kCjeRL9GQnpZsBPcPMyjyQ","t":1}'
    forged = seal(envelope.Key(bytes(32)), TOPIC, obj)
    assert acks.decode(KEY, TOPIC, forged) is None
    assert acks.decode(KEY, TOPIC, seal(KEY, TOPIC, obj)) is not None


def test_an_ack_on_another_topic_is_ignored():
    obj = b'{"v":1,"era":"abcdefgh","boot":1,"seq":5,"h":"","t":1}'
    assert acks.decode(KEY, TOPIC, seal(KEY, "noria/1/k7f3q6/ack", obj)) is None


def test_other_content_with_a_valid_mac_is_no_ack():
    sound = b'{"v":1,"era":"abcdefgh","boot":1,"seq":5,"h":"","t":1}'
    damaged = (
        sound.replace(b"5", b"5.0"),
        sound.replace(b"5", b"true"),
        sound + b" ",
        sound + sound,
        sound.replace(b"{", b'{"seq":4,'),
        sound[:-1] + b",}",
        sound.replace(b":5,", b":5 "),
    )
    for obj in (b"{}", b"[]", b"7", b"{", b'{"era":1,"boot":1,"seq":1,"h":"","t":1}') + damaged:
        assert acks.decode(KEY, TOPIC, seal(KEY, TOPIC, obj)) is None, obj


def test_a_future_ack_frees_nothing_and_proves_a_twin():
    queue = _queue(5)
    newest = list(queue.messages())[-1]
    verdict = _take(queue, _ack(newest, identity=(1, 9)))
    assert verdict.kind == acks.TWIN and len(_held(queue)) == 5


def test_an_ack_with_another_hash_frees_nothing_and_proves_a_twin():
    queue = _queue(5)
    verdict = _take(queue, _ack(list(queue.messages())[2], h="AAAAAAAAAAAAAAAAAAAAAA"))
    assert verdict.kind == acks.TWIN and len(_held(queue)) == 5


def test_the_newest_hash_under_another_number_frees_nothing():
    queue = _queue(5)
    newest = list(queue.messages())[-1]
    _take(queue, _ack(newest, identity=(1, 2)))
    assert len(_held(queue)) == 5


def test_an_ack_below_the_oldest_message_frees_nothing():
    queue = _queue(5)
    ack = _ack(None, h="AAAAAAAAAAAAAAAAAAAAAA", identity=(0, 7))
    verdict = _take(queue, ack)
    assert (verdict.kind, verdict.pos) == (acks.FREES, 0)
    assert len(_held(queue)) == 5


def test_an_ack_of_an_unknown_era_means_nothing():
    queue = _queue(5)
    newest = list(queue.messages())[-1]
    assert _take(queue, _ack(newest, era=b"zzzzzzzz")).kind == acks.NOTHING
    assert len(_held(queue)) == 5


def test_an_ack_of_an_empty_line_frees_nothing_and_is_below_all_messages():
    queue = _queue(5)
    verdict = _take(queue, _ack(None, h="", identity=(0, 0)))
    assert (verdict.kind, verdict.pos) == (acks.FREES, 0)
    assert len(_held(queue)) == 5


def test_a_new_era_starts_at_one_without_a_prev_and_keeps_what_was_held():
    queue = _queue(5)
    queue.open_era(b"newernew")
    queue.add_sample(records.Sample(9, "mm", 9, 1, 7, 7))
    head = queue.seal(9, 900)
    assert (head.identity, head.prev) == ((1, 1), b"")
    assert (head.old_boot, head.old_seq) == (1, 1)
    assert len(_held(queue)) == 6


def test_an_ack_of_the_former_era_frees_that_era_only():
    queue = _queue(5)
    former = list(queue.messages())[-1]
    queue.open_era(b"newernew")
    queue.seal(9, 900)
    verdict = _take(queue, _ack(former))
    assert verdict.former
    assert [head.era for head in _held(queue)] == [b"newernew"]


def test_a_former_eras_messages_count_as_freed_after_eight_resends():
    queue = _queue(5)
    queue.open_era(b"newernew")
    for _ in range(FORMER_TRIES - 1):
        queue.former_resent()
    assert len(list(queue.former_waiting())) == 5
    queue.former_resent()
    assert list(queue.former_waiting()) == [] and _held(queue) == []


def test_old_passes_a_message_that_was_resent_in_vain():
    queue = _queue(5)
    heads = list(queue.messages())
    _take(queue, _ack(heads[1]))
    queue.state.resends = RESENDS
    assert queue.give_up_due()
    queue.give_up(queue.state.freed)
    head = queue.seal(9, 900)
    assert (head.old_boot, head.old_seq) == heads[3].identity
    assert next(h.identity for h in _held(queue)) == heads[3].identity

"""WIRE.md's table, *What the gateway does with what arrives*, on a real journal."""

import json
import sqlite3
from contextlib import closing

from gateway.domain import envelope
from gateway.journal.eras import KEPT
from gateway.journal.reader import JournalReader
from gateway.journal.writer import QUARANTINE_ROWS
from tests.integration.listening import KEY, NOW, Listening, covers
from tests.wire_node.sealed import Ring, mac


def test_a_message_is_kept_byte_for_byte_and_acknowledged(listening: Listening) -> None:
    message = listening.ring.seal(NOW)
    (ack,) = listening.arrive(message)
    assert ack == {
        "v": 1, "era": listening.ring.era, "boot": 1, "seq": 1, "h": message.h, "t": int(NOW),
    }  # fmt: skip
    with closing(JournalReader(listening.path)) as reader:
        (entry,) = reader.entries(0, 10)
    assert entry.payload.decode() == listening.ring.payload(message)
    assert (entry.topic, entry.received, entry.auth) == (listening.ring.topic, NOW, "mac")


def test_a_duplicate_is_kept_once_and_its_ack_repeated(listening: Listening) -> None:
    message = listening.ring.seal(NOW)
    listening.arrive(message)
    (ack,) = listening.arrive(message, message, now=NOW + 60)
    assert covers(ack, message)
    assert ack["t"] == int(NOW) + 60
    assert listening.counts() == {"stored": 1, "duplicate": 2, "messages": 1}


def test_one_ack_for_each_commit_however_many_messages(listening: Listening) -> None:
    sealed = [listening.ring.seal(NOW) for _ in range(50)]
    (ack,) = listening.arrive(*sealed)
    assert covers(ack, sealed[-1])


def test_the_line_ends_before_a_gap_until_it_is_filled(listening: Listening) -> None:
    first, lost, third = (listening.ring.seal(NOW) for _ in range(3))
    assert covers(listening.arrive(first, third)[0], first)
    assert covers(listening.arrive(lost)[0], third)
    assert listening.verdicts()[-1] == ("msg", "late", None, False)


def test_before_the_line_has_begun_the_ack_frees_nothing(listening: Listening) -> None:
    lost, second = listening.ring.seal(NOW), listening.ring.seal(NOW)
    (ack,) = listening.arrive(second)
    assert (ack["boot"], ack["seq"], ack["h"]) == (0, 0, "")
    assert covers(listening.arrive(lost)[0], second)


def test_old_declares_a_gap_and_the_line_begins_again_there(listening: Listening) -> None:
    ring = listening.ring
    first = ring.seal(NOW)
    listening.arrive(first)
    for _ in range(3):
        ring.seal(NOW)  # never arrive: the flash was full
    held, newest = ring.seal(NOW), ring.seal(NOW, old=[1, 5])
    assert covers(listening.arrive(newest)[0], first)
    assert covers(listening.arrive(held)[0], newest)


def test_an_old_above_its_own_identity_is_ignored(listening: Listening) -> None:
    ring = listening.ring
    first, _lost = ring.seal(NOW), ring.seal(NOW)
    boaster, ahead = ring.seal(NOW, old=[1, 4]), ring.seal(NOW)
    assert covers(listening.arrive(first, boaster, ahead)[0], first)


def test_acks_never_go_back(listening: Listening) -> None:
    ring = listening.ring
    sealed = [ring.seal(NOW) for _ in range(3)]
    listening.arrive(*sealed)
    late = ring.seal(NOW, old=[1, 1])
    assert covers(listening.arrive(late)[0], late)
    assert covers(listening.arrive(sealed[0])[0], late)


def test_the_line_runs_across_boots(listening: Listening) -> None:
    first = listening.ring.seal(NOW)
    listening.ring.reboot()
    second = listening.ring.seal(NOW)
    assert covers(listening.arrive(first, second)[0], second)


def test_a_fork_is_kept_shown_and_does_not_move_the_line(listening: Listening) -> None:
    ring = listening.ring
    first, second = ring.seal(NOW), ring.seal(NOW)
    listening.arrive(first, second)
    twin = Ring("k7f3q5", KEY, era=ring.era, seq=1, prev=first.h)
    other = twin.seal(NOW, mv=3600)
    (ack,) = listening.arrive(other)
    assert covers(ack, second)
    assert listening.verdicts()[-1] == ("fork", "fork", None, False)


def test_two_messages_with_one_prev_are_a_fork(listening: Listening) -> None:
    ring = listening.ring
    first, second = ring.seal(NOW), ring.seal(NOW)
    listening.arrive(first, second)
    twin = Ring("k7f3q5", KEY, era=ring.era, boot=2, prev=first.h)
    assert covers(listening.arrive(twin.seal(NOW))[0], second)
    assert listening.verdicts()[-1][:2] == ("fork", "fork")


def test_a_flagged_message_extends_the_line_by_prev_or_else_by_seq(
    listening: Listening,
) -> None:
    ring = listening.ring
    first = ring.seal(NOW)
    by_prev = ring.seal(NOW, v=7)
    by_seq = ring.seal(NOW, prev=12)
    last = ring.seal(NOW)
    assert covers(listening.arrive(first, by_prev)[0], by_prev)
    assert covers(listening.arrive(by_seq)[0], by_seq)
    assert covers(listening.arrive(last)[0], last)
    assert [v[1:] for v in listening.verdicts()] == [
        ("stored", None, True),
        ("flagged", "version", False),
        ("flagged", "bad_field", False),
        ("stored", None, True),
    ]


def test_malformed_without_identity_is_kept_and_answered_with_the_last_era(
    listening: Listening,
) -> None:
    first = listening.ring.seal(NOW)
    listening.arrive(first)
    (ack,) = listening.payloads(listening.seal_raw('{"boot":'))
    assert covers(ack, first)
    assert listening.verdicts()[-1][:3] == ("msg", "flagged", "json")


def test_bytes_that_are_no_text_are_kept_under_a_right_mac(listening: Listening) -> None:
    raw = envelope.seal(KEY, listening.ring.topic, b'{"a":"\xff"}')
    assert listening.payloads(raw) == []  # the device has no era
    assert listening.verdicts() == [("msg", "flagged", "bytes", False)]


def test_each_era_has_its_line_and_the_last_in_use_is_acked_last(listening: Listening) -> None:
    old, ring = listening.ring.seal(NOW), Ring("k7f3q5", KEY)
    new = ring.seal(NOW)
    acks = listening.arrive(old, new)
    assert [a["era"] for a in acks] == [listening.ring.era, ring.era]
    acks = listening.arrive(new, old)
    assert [a["era"] for a in acks] == [ring.era, listening.ring.era]
    again = [json.loads(a.payload.split(b"\n")[0])["era"] for a in listening.ingest.all_acks(NOW)]
    assert again == [ring.era, listening.ring.era]


def test_an_era_beyond_those_in_memory_is_looked_up_and_answered(listening: Listening) -> None:
    first = listening.ring.seal(NOW)
    listening.arrive(first)
    rings = [Ring("k7f3q5", KEY) for _ in range(3 * KEPT)]
    listening.arrive(*[ring.seal(NOW) for ring in rings])
    held = [json.loads(a.payload.split(b"\n")[0])["era"] for a in listening.ingest.all_acks(NOW)]
    assert held == [ring.era for ring in rings[-KEPT:]]
    second = listening.ring.seal(NOW)
    assert covers(listening.arrive(second)[0], second)
    assert covers(listening.arrive(first)[0], second)
    listening.journal.close()
    listening.open()
    assert covers(listening.arrive(late := listening.ring.seal(NOW))[0], late)
    assert listening.counts() == {"stored": 3 + 3 * KEPT, "duplicate": 1, "messages": 3 + 3 * KEPT}


def test_a_key_generation_before_the_registrys_is_refused_and_counted(
    listening: Listening,
) -> None:
    listening.rekey(KEY, number=2)
    first = listening.ring.seal(NOW, k=2)
    assert covers(listening.arrive(first)[0], first)
    listening.open()
    assert listening.arrive(listening.ring.seal(NOW)) == []
    assert listening.payloads(listening.seal_raw('{"v":1}')) == []  # absent is 1
    assert listening.counts() == {"stored": 1, "old_key": 2, "messages": 1}


def test_a_high_key_generation_locks_neither_a_node_nor_its_next_key_out(
    listening: Listening,
) -> None:
    """Whoever took a node, and read out its key, can seal any ``k``."""
    thief = Ring("k7f3q5", KEY)
    listening.arrive(listening.ring.seal(NOW), thief.seal(NOW, k=2**31 - 1))
    assert covers(listening.arrive(after := listening.ring.seal(NOW))[-1], after)
    listening.rekey(bytes(range(32, 64)), number=2)
    for _ in range(2):
        honest = listening.ring.seal(NOW, k=2)
        assert covers(listening.arrive(honest)[0], honest)
    stale = thief.seal(NOW, k=2**31 - 1)
    assert listening.payloads(f"{stale.text}\n{mac(KEY, thief.topic, stale.text)}") == []
    assert listening.counts() == {"stored": 5, "bad_mac": 1, "messages": 5}


def test_a_line_does_not_begin_at_a_later_boots_message_that_names_none_before_it(
    listening: Listening,
) -> None:
    lone = Ring("k7f3q5", KEY, boot=2).seal(NOW, old=[1, 1])
    (ack,) = listening.arrive(lone)
    assert (ack["boot"], ack["seq"], ack["h"]) == (0, 0, "")


def test_the_line_begins_at_the_oldest_message_on_the_nodes_flash(
    listening: Listening,
) -> None:
    alone = Ring("k7f3q5", KEY, boot=2, seq=8, prev="A" * 22).seal(NOW)
    assert covers(listening.arrive(alone)[0], alone)


def test_what_is_refused_is_not_acknowledged_and_quarantine_is_bounded(
    listening: Listening,
) -> None:
    assert listening.payloads(*[b"x%d" % i for i in range(QUARANTINE_ROWS + 50)]) == []
    assert listening.payloads("y" * 9216) == []
    assert listening.counts() == {"bad_mac": QUARANTINE_ROWS + 50, "oversize": 1}
    with closing(sqlite3.connect(listening.path)) as raw:
        (rows,) = raw.execute("SELECT count(*) FROM quarantine").fetchone()
    assert rows == QUARANTINE_ROWS


def test_a_restart_restores_everything(listening: Listening) -> None:
    ring = listening.ring
    sealed = [ring.seal(NOW) for _ in range(5)]
    listening.arrive(*sealed[:2], sealed[4])
    frontier = listening.journal.log.frontier
    listening.journal.close()
    listening.open()
    assert listening.journal.log.frontier == frontier
    assert covers(listening.arrive(*sealed[2:4])[0], sealed[4])

"""The journal's log: leaves, frontier, damage, whole commits, and what the gateway notes itself."""

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from gateway.domain import leaf, merkle
from gateway.errors import JournalError
from gateway.journal import schema
from gateway.journal.diary import HEARTBEAT_S, HOUR_S, Diary
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from gateway.mqtt.session import BrokerEvent
from tests.committing import commit
from tests.integration.listening import NOW, Listening, covers


def test_leaves_commit_to_salt_and_body_and_grow_the_frontier(listening: Listening) -> None:
    listening.arrive(listening.ring.seal(NOW), listening.ring.seal(NOW, v=2))
    with closing(sqlite3.connect(listening.path)) as raw:
        rows = raw.execute(
            "SELECT leaf, salt, body FROM entry JOIN body ON body.entry = entry.id ORDER BY id"
        ).fetchall()
    lines: list[str] = []
    for text, salt, body in rows:
        head, kind, time_ms, gateway, subject, commit, *lines = text.decode().splitlines()
        assert (head, kind, gateway, subject) == ("noria-leaf-1", "msg", "g1", "k7f3q5")
        assert time_ms == str(int(NOW * 1000))
        assert commit == leaf.commit(salt, body)
    assert lines == ["flag=version"]
    root = merkle.Frontier().grown(*(merkle.leaf_hash(text) for text, _, _ in rows)).root()
    assert root == listening.journal.log.frontier.root()


def test_a_changed_leaf_stops_the_start_and_is_named(listening: Listening) -> None:
    listening.arrive(*[listening.ring.seal(NOW) for _ in range(5)])
    listening.journal.close()
    with closing(sqlite3.connect(listening.path)) as raw, raw:
        raw.execute("UPDATE entry SET leaf = replace(leaf, 'msg', 'reg') WHERE id = 2")
    with pytest.raises(JournalError, match="leaves 1 to 4"):
        Journal(listening.path, "g1")
    listening.journal = Journal(listening.path.with_name("other.db"), "g1")


def test_a_batch_is_kept_whole_or_not_at_all(listening: Listening) -> None:
    ring = listening.ring
    first, second = ring.seal(NOW), ring.seal(NOW)
    with closing(sqlite3.connect(listening.path)) as raw, raw:
        raw.execute(
            "CREATE TRIGGER full BEFORE INSERT ON unfiled WHEN new.seq = 2"
            " BEGIN SELECT raise(ABORT, 'disk is full'); END"
        )
    with pytest.raises(JournalError, match="disk is full"):
        listening.arrive(first, second)
    assert (listening.journal.last_id, listening.verdicts(), listening.counts()) == (0, [], {})
    with closing(sqlite3.connect(listening.path)) as raw, raw:
        raw.execute("DROP TRIGGER full")
    assert covers(listening.arrive(first, second)[0], second)


# What the gateway notes of itself


def kinds(listening: Listening) -> list[tuple[str, dict[str, Any]]]:
    with closing(JournalReader(listening.path)) as reader:
        return [(e.kind, json.loads(e.body)) for e in reader.all() if e.kind != "msg"]


def test_the_diary_begins_with_open_and_has_a_heartbeat_every_ten_minutes(
    listening: Listening,
) -> None:
    diary = Diary(listening.journal)
    diary.open(NOW, lambda: bytes(32), "1.0")
    diary.open(NOW, lambda: bytes(32), "1.0")
    diary.start(NOW, 50.0)
    assert not diary.write_due(NOW + 599, 649.0)
    assert diary.write_due(NOW + HEARTBEAT_S, 50.0 + HEARTBEAT_S)
    diary.stop(NOW + 700)
    found = kinds(listening)
    assert found[0][0] == "open"
    assert found[0][1]["key"] == "00" * 32
    assert [body["run"] for _, body in found[1:]] == ["start", "heartbeat", "stop"]


def test_refusals_are_journaled_hourly_as_counts(listening: Listening) -> None:
    diary = Diary(listening.journal)
    diary.start(NOW, 0.0)
    listening.payloads(b"x", b"y")
    diary.write_due(NOW + HOUR_S, HOUR_S)
    diary.write_due(NOW + 2 * HOUR_S, 2 * HOUR_S)
    assert [body for kind, body in kinds(listening) if kind == "bad"] == [{"bad_mac": 2}]


def test_a_step_of_the_clock_is_noted_and_time_never_goes_back(listening: Listening) -> None:
    diary = Diary(listening.journal)
    diary.start(NOW, 0.0)
    assert diary.write_due(NOW - 90.0, 10.0)
    commit(listening.ingest, [BrokerEvent("broker_back", NOW - 80.0)], NOW - 80.0)
    with closing(JournalReader(listening.path)) as reader:
        entries = list(reader.all())
    assert json.loads(entries[1].body) == {"source": "system", "step_s": -100.0}
    assert [e.received for e in entries] == [NOW, NOW, NOW]


def test_a_journal_of_another_format_is_refused(listening: Listening) -> None:
    listening.journal.close()
    for other, remedy in ((2, "no release"), (4, "newer program")):
        with closing(sqlite3.connect(listening.path)) as raw:
            raw.execute(f"PRAGMA user_version = {other}")
        for opened in (schema.open_for_reading, schema.open_for_writing):
            with pytest.raises(JournalError, match=f"format {other}; .*{remedy}"):
                opened(listening.path)
    with closing(sqlite3.connect(listening.path)) as raw:
        raw.execute(f"PRAGMA user_version = {schema.VERSION}")
    listening.open()

"""``noria replay``: lines in, rows out with the fields of WIRE.md, section 3."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.domain.envelope import seal
from server.command.replay import replay
from tests.unit.tank_story import T0

KEY = bytes(range(32))
TOPIC = "noria/1/k7f3q5/up"
REGISTRY = """
[[site]]
id = "north"
[[tank]]
id = "north-1"
site = "north"
shape = "ibc1000"
capacity_l = 1000
empty_l = 20
sensor_height_mm = 1100
taps = 4
[[device]]
id = "k7f3q5"
tank = "north-1"
key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
uplink = "north-router"
"""

FIELDS = {
    "level": {"type", "at", "tank", "volume_l", "sd_l", "state"},
    "event": {"type", "at", "until", "tank", "kind", "litres"},
    "incident": {
        "type", "id", "change", "at", "received", "tank", "kind", "probability", "causes",
        "because", "auth", "alert",
    },
    "forecast": {"type", "at", "tank", "low_at", "empty_at"},
}  # fmt: skip
OPTIONAL = {
    "event": {"least_l", "most_l"},
    "forecast": {"critical_at", "next_round_at", "dry_before_round"},
}


def message(seq: int, at: int, litres: float, **fields: Any) -> dict[str, Any]:
    return {
        "v": 1, "fw": "t", "era": "m4xq2lzt", "boot": 1, "seq": seq,
        "prev": "" if seq == 1 else f"{seq:022d}", "up": at + 100, "t": T0 + at, "ts": "ntp",
        "ta": 60, "next": 900, "old": [1, 1],
        "r": [{"o": 0, "mm": round(1100 - litres / 1.0716), "sp": 4, "n": 7, "of": 7}], **fields,
    }  # fmt: skip


def line(obj: dict[str, Any], received: float, sealed: bool = True) -> str:
    body = json.dumps(obj, separators=(",", ":")).encode()
    payload = seal(KEY, TOPIC, body) if sealed else body
    return json.dumps({"received": received, "topic": TOPIC, "payload": payload.decode()})


def a_day() -> list[str]:
    levels = [*range(900, 0, -30), 0, 0, 0, 500, 950, 950, 950, 950]
    return [line(message(i, i * 900, l), T0 + i * 900 + 2) for i, l in enumerate(levels, 1)]  # noqa: E741


@pytest.fixture
def registry(tmp_path: Path) -> str:
    path = tmp_path / "R.toml"
    path.write_text(REGISTRY)
    return str(path)


def run(
    tmp_path: Path, registry: str, lines: list[str], *options: str
) -> tuple[int, list[dict[str, Any]], str]:
    recording = tmp_path / "recording.jsonl"
    recording.write_text("\n".join(lines) + "\n")
    done = CliRunner().invoke(replay, ["--registry", registry, *options, str(recording)])
    rows = [json.loads(text) for text in done.stdout.splitlines()]
    return done.exit_code, rows, done.stderr


def test_every_row_has_exactly_the_named_fields(tmp_path: Path, registry: str) -> None:
    code, rows, summary = run(tmp_path, registry, a_day())
    assert code == 0, summary
    assert {r["type"] for r in rows} == set(FIELDS)
    for row in rows:
        assert set(row) - OPTIONAL.get(row["type"], set()) == FIELDS[row["type"]]
    changes = [f"{r['change']} {r['kind']}" for r in rows if r["type"] == "incident"]
    assert changes == ["opened low", "updated critical", "updated empty", "closed empty"]
    assert len([r for r in rows if r["type"] == "level"]) == len(a_day())
    spans = [r["empty_at"] for r in rows if r["type"] == "forecast" and r["empty_at"]]
    assert spans and all(s["lo"] <= s["at"] <= s["hi"] for s in spans)
    critical = [r["critical_at"] for r in rows if r["type"] == "forecast" and "critical_at" in r]
    assert critical and all(set(span) == {"at", "lo", "hi"} for span in critical)


def test_a_recording_has_the_same_rows_every_time(tmp_path: Path, registry: str) -> None:
    assert run(tmp_path, registry, a_day()) == run(tmp_path, registry, a_day())


def test_trust_accepts_recordings_without_chain_fields_and_mac(
    tmp_path: Path, registry: str
) -> None:
    lines = []
    for i, text in enumerate(a_day()):
        given = json.loads(text)
        obj = json.loads(given["payload"].split("\n")[0])
        for name in ("era", "prev", "old"):
            del obj[name]
        given["payload"] = json.dumps(obj) + ("\nanything" if i % 2 else "")
        lines.append(json.dumps(given))
    code, rows, _ = run(tmp_path, registry, lines, "--trust", "--only", "incident")
    assert code == 0
    assert [r["kind"] for r in rows] == ["low", "critical", "empty", "empty"]
    code, rows, summary = run(tmp_path, registry, lines)
    assert code == 1
    assert rows == []
    assert f"{len(lines)} bad_mac" in summary


def test_unusable_lines_are_counted_by_reason(tmp_path: Path, registry: str) -> None:
    other = json.dumps({"received": T0 + 9, "topic": "noria/1/zzzzzz/up", "payload": "{}"})
    lines = [
        line(message(1, 1, 500), T0 + 1),
        "junk",
        json.dumps({"received": T0, "tick": True}),
        other,
        json.dumps({"received": T0 + 10, "what": "ever"}),
        json.dumps({"tick": True}),
        line(message(2, 20, 500, boot=0), T0 + 20),
    ]
    code, rows, summary = run(tmp_path, registry, lines, "--only", "level")
    assert code == 1
    assert len(rows) == 1
    for reason in ("not_json", "received_decreases", "unknown_device", "unknown_line"):
        assert f"1 {reason}" in summary
    assert "Could not use 6 lines" in summary


def test_a_payload_may_come_in_base64_and_a_duplicate_is_no_error(
    tmp_path: Path, registry: str
) -> None:
    given = json.loads(line(message(1, 1, 500), T0 + 1))
    packed = base64.b64encode(given.pop("payload").encode()).decode()
    lines = [
        json.dumps({**given, "payload_b64": packed}),
        line(message(1, 1, 500), T0 + 5),
    ]
    code, rows, summary = run(tmp_path, registry, lines)
    assert code == 0
    assert len(rows) == 1
    assert "1 duplicate" in summary


def test_an_unknown_row_type_is_named(tmp_path: Path, registry: str) -> None:
    recording = tmp_path / "r.jsonl"
    recording.write_text("")
    done = CliRunner().invoke(
        replay, ["--registry", registry, "--only", "incident,levels", str(recording)]
    )
    assert done.exit_code == 2
    assert "levels" in done.stderr


def test_silence_begins_at_its_due_time_and_downtime_does_not_count(
    tmp_path: Path, registry: str
) -> None:
    first = [line(message(i, i * 900, 500), T0 + i * 900) for i in (1, 2)]
    last_at = T0 + 1800
    code, rows, _ = run(
        tmp_path, registry, [*first, json.dumps({"received": last_at + 90_000, "tick": True})],
        "--only", "event,incident",
    )  # fmt: skip
    assert code == 0
    silent = next(r for r in rows if r["type"] == "event" and r["kind"] == "silent")
    assert (silent["at"], silent["until"]) == (last_at, last_at + 2820)
    away = [
        {"received": last_at + 60, "gateway": "stop"},
        {"received": last_at + 7260, "gateway": "start"},
        {"received": last_at + 7260 + 7200 + 2000, "tick": True},
    ]
    code, rows, _ = run(
        tmp_path, registry, [*first, *map(json.dumps, away)], "--only", "event,incident"
    )
    assert (code, rows) == (0, [])

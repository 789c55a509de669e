"""The ``down`` message: what is applied, once, and how it is answered."""

import json

from measure_checks import _config
from node.exchange import orders
from node.policy import schedule
from node.storage import clock, envelope
from node.storage.state import State
from sealing import seal

KEY = envelope.Key(bytes(range(32)))
DOWN = "noria/1/k7f3q5/down"


def _take(state, obj, key=KEY):
    given = orders.decode(KEY, DOWN, seal(key, DOWN, json.dumps(obj).encode()))
    return given and orders.apply(given, state)


def test_a_down_sets_the_intervals_and_is_answered():
    state = State()
    applied = _take(state, {"v": 1, "n": 1795212000, "set": {"interval_s": 300, "report_s": 3600}})
    plan = schedule.Plan(_config(), state)
    assert (plan.interval_s, plan.report_s) == (300, 3600)
    conf = json.loads("{" + applied.conf(state, plan) + "}")
    assert (conf["k"], conf["n"], conf["ok"]) == ("conf", 1795212000, True)
    assert len(conf["id"]) == 8


def test_a_down_that_is_not_newer_is_not_applied():
    state = State()
    state.down_n = 1795212000
    assert _take(state, {"v": 1, "n": 1795212000, "set": {"interval_s": 300}}) is None
    assert state.interval_s == 0


def test_a_down_under_another_key_is_not_applied():
    payload = seal(envelope.Key(bytes(32)), DOWN, b'{"v":1,"n":5,"set":{}}')
    assert orders.decode(KEY, DOWN, payload) is None


def test_each_once_id_is_done_once():
    state = State()
    once = [{"id": "a1", "do": "reboot"}]
    assert _take(state, {"v": 1, "n": 5, "once": once}).reboot
    assert not _take(state, {"v": 1, "n": 6, "once": once}).reboot


def test_the_set_is_whole_each_time():
    state = State()
    _take(state, {"v": 1, "n": 5, "set": {"interval_s": 300}})
    _take(state, {"v": 1, "n": 6, "set": {}})
    assert state.interval_s == 0


def test_what_cannot_be_done_is_named():
    state = State()
    for n, obj, code in (
        (5, {"set": {"interval_s": 3}}, "interval_s"),
        (6, {"set": {"colour": 1}}, "set"),
        (7, {"once": [{"id": 1, "do": "dance"}]}, "do"),
        (8, {"set": {"move_from": 5}}, "move_from"),
        (9, {"set": {"change_mm": 0}}, "change_mm"),
        (10, {"set": "much"}, "down"),
        (11, {"once": [7]}, "down"),
        (12, {"set": {"change_g": 499}}, "change_g"),
    ):
        obj.update({"v": 1, "n": n})
        assert _take(state, obj).code == code
        assert state.interval_s == 0 and state.down_n == n
    assert state.change_g == 0
    applied = orders.conf(12, state, schedule.Plan(_config(), state), False, "change_g")
    assert applied.endswith('"ok":false,"c":"change_g"')


def test_a_resend_names_where_it_starts():
    state = State()
    once = [{"id": 7, "do": "resend", "from": ["abcdefgh", 1, 5]}]
    applied = _take(state, {"v": 1, "n": 5, "once": once})
    assert (applied.resend_era, applied.resend_after) == (b"abcdefgh", (1, 5))


def test_what_is_no_down_at_all_is_not_read():
    for obj in (b"[]", b"7", b"{", b"{}", b'{"n":"5"}', b'{"n":0}', b'{"n":4294967296}'):
        assert orders.decode(KEY, DOWN, seal(KEY, DOWN, obj)) is None, obj
    assert orders.decode(KEY, DOWN, b"") is None


def test_thresholds_are_set_and_go_back():
    state = State()
    plan = schedule.Plan(_config(change_mm=30), state)
    _take(state, {"v": 1, "n": 5, "set": {"change_mm": 80, "change_g": 500}})
    assert (plan.change("mm"), plan.change("g"), plan.change("pa")) == (80, 500, 300)
    _take(state, {"v": 1, "n": 6})
    assert (plan.change("mm"), plan.change("g")) == (30, 5000)


def test_a_planned_move_is_in_force_between_its_times_by_a_set_clock_only():
    state, start = State(), 1795300000
    _take(state, {"v": 1, "n": 5, "set": {"move_from": start, "move_to": start + 3600}})
    state.base = start
    assert not schedule.planned_move(state, 10)  # unknown without a clock
    state.clock_source = clock.NTP
    assert [schedule.planned_move(state, up) for up in (0, 3599, 3600)] == [True, True, False]


def test_the_hash_of_the_configuration_changes_with_every_setting():
    seen, n = set(), 1
    for wanted in ({}, {"interval_s": 60}, {"report_s": 60}, {"change_mm": 9}, {"change_g": 900}):
        state, n = State(), n + 1
        _take(state, {"v": 1, "n": n, "set": wanted})
        seen.add(orders.config_id(state, schedule.Plan(_config(), state)))
    assert len(seen) == 5


def test_a_parts_payload_may_hold_any_bytes_and_opens_on_its_topic_only():
    topic = "noria/1/k7f3q5/part/3/0"
    data = bytes(range(256)) + b"\n\n"
    payload = data + b"\n" + KEY.mac(topic, data)
    assert envelope.verified_part(KEY, topic, payload) == data
    assert envelope.verified_part(KEY, topic.replace("/0", "/1"), payload) is None
    assert envelope.verified_part(KEY, topic, b"x" + payload) is None
    assert envelope.verified_part(KEY, topic, b"") is None

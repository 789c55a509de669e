"""The broker's port and CAs that orders give: on trial, in force, given up, replaced by cable."""

import binascii
import hashlib

from measure_checks import _config
from node.exchange.trust import Trust, load
from node.policy.schedule import Plan
from node.storage.state import State

OLD, NEW, OTHER, FOURTH = (
    binascii.b2a_base64(b"\x30\x82" + bytes((n,)) * 300).decode().strip() for n in (1, 2, 3, 4)
)


class Nvs:
    """NVS in memory; ``broken`` raises at each write."""

    def __init__(self):
        self.values = {}
        self.broken = False

    def get_i32(self, key):
        if key not in self.values:
            raise OSError(-0x1102)
        return self.values[key]

    def get_blob(self, key, buffer):
        data = self.values[key]
        buffer[: len(data)] = data
        return len(data)

    def set_i32(self, key, value):
        if self.broken:
            raise OSError(-0x1105)
        assert -(2**31) <= value < 2**31
        self.values[key] = value

    def set_blob(self, key, value):
        if self.broken:
            raise OSError(-0x1105)
        self.values[key] = bytes(value)

    def commit(self):
        pass


def _pem(body):
    return "-----BEGIN CERTIFICATE-----\n%s\n%s\n-----END CERTIFICATE-----\n" % (
        body[:64], body[64:],
    )  # fmt: skip


def _board(ca=OLD, host="localhost", port=8883):
    broker = {"host": host, "port": port}
    if ca:
        broker["ca"] = _pem(ca)
    return _config(broker=broker)


def _name(port, *cas):
    text = "%d %s" % (port, " ".join(cas))
    return "".join("%02x" % byte for byte in hashlib.sha256(text.encode()).digest()[:4])


def _offer(nvs, config, *cas, port=8883):
    return Trust(nvs, config).offer({"port": port, "ca": list(cas)})


def _is_refused(nvs, config, *cas):
    try:
        _offer(nvs, config, *cas)
    except OSError:
        return True
    return False


class Uplink:
    """What a trial asks of the uplink: the answers that it gives."""

    def __init__(self, nvs, config):
        self.events = []
        self.nvs, self.config = nvs, config
        self.update_status = self.queue = self
        self.state = State()
        self.plan = Plan(config, self.state)

    def up(self):
        return 7

    def wants(self, given):
        return bool(given.get("update"))

    def add_conf(self, up, plan, ok, code=""):
        self.events.append((ok, code))

    def add_event(self, up, fields):
        self.events.append(fields)


def _committed(nvs, config, release=None):
    uplink = Uplink(nvs, config)
    Trust(nvs, config).commit(uplink, release)
    return uplink.events


def test_without_orders_config_json_counts():
    trust = Trust(Nvs(), _board())
    assert (trust.port, trust.ca, trust.on_trial) == (8883, _pem(OLD), False)
    assert not trust.attempt()


def test_what_is_in_force_already_is_answered_at_once():
    nvs = Nvs()
    assert _offer(nvs, _board(), OLD) == _name(8883, OLD)
    assert nvs.values == {}


def test_new_cas_are_on_trial_until_an_ack_came_through_them():
    nvs, config = Nvs(), _board()
    assert _offer(nvs, config, OLD, NEW) == ""
    trust = Trust(nvs, config)
    assert trust.on_trial and trust.ca == OLD + " " + NEW
    (answer,) = _committed(nvs, config)
    assert answer.endswith(',"ok":true,"ca":"%s"' % _name(8883, OLD, NEW))
    trust = Trust(nvs, config)
    assert not trust.on_trial and trust.ca == OLD + " " + NEW
    assert _committed(nvs, config) == []
    assert _offer(nvs, config, OLD, NEW) == _name(8883, OLD, NEW)
    assert _offer(nvs, config, NEW) == ""
    (answer,) = _committed(nvs, config, {"n": 5})
    assert answer.endswith(',"ok":false,"c":"update","ca":"%s"' % _name(8883, NEW))
    assert Trust(nvs, config).ca == NEW


def test_after_three_connections_without_an_ack_the_former_counts_again():
    nvs, config = Nvs(), _board(ca=None, port=1883)
    _offer(nvs, config, NEW)
    for _ in range(3):
        trust = Trust(nvs, config)
        assert not trust.attempt() and (trust.port, trust.ca) == (8883, NEW)
    trust = Trust(nvs, config)
    assert trust.attempt()
    assert (trust.port, trust.ca, trust.on_trial) == (1883, None, False)
    trust = Trust(nvs, config)
    assert (trust.port, trust.ca, trust.on_trial) == (1883, None, False)
    _offer(nvs, config, NEW)
    _committed(nvs, config)
    _offer(nvs, config, OTHER)
    for _ in range(3):
        assert Trust(nvs, config).ca == OTHER and not Trust(nvs, config).attempt()
    uplink = Uplink(nvs, config)
    found = load(uplink, config)
    assert (found.port, found.ca) == (8883, NEW) and uplink.events == [(False, "tls_back")]
    for _ in range(9):  # what is in force is never given up
        assert load(uplink, config).ca == NEW
    assert len(uplink.events) == 1


def test_attempts_with_an_earlier_offer_do_not_count():
    nvs, config = Nvs(), _board()
    _offer(nvs, config, NEW)
    for _ in range(3):
        Trust(nvs, config).attempt()
    _offer(nvs, config, OTHER)
    for _ in range(3):
        assert not Trust(nvs, config).attempt()
    assert Trust(nvs, config).ca == OTHER


def test_the_same_offer_again_does_not_prolong_the_trial():
    nvs, config = Nvs(), _board()
    for _ in range(3):
        assert _offer(nvs, config, NEW) == ""
        assert not Trust(nvs, config).attempt()
    assert Trust(nvs, config).attempt()


def test_an_offer_in_a_connection_on_trial_is_not_kept_by_its_ack():
    nvs, config = Nvs(), _board()
    _offer(nvs, config, NEW)
    uplink = Uplink(nvs, config)
    found = load(uplink, config)
    _offer(nvs, config, OTHER)
    found.commit(uplink, None)
    assert uplink.events == []
    assert Trust(nvs, config).ca == OTHER and Trust(nvs, config).on_trial


def test_a_new_file_by_cable_has_priority():
    nvs = Nvs()
    _offer(nvs, _board(), NEW)
    _committed(nvs, _board())
    assert Trust(nvs, _board()).ca == NEW
    for config in (_board(ca=OTHER), _board(host="other.example"), _board(port=8884)):
        assert Trust(nvs, config).ca == config.ca and Trust(nvs, config).port == config.port


def test_what_cannot_be_used_changes_nothing():
    nvs, config = Nvs(), _board()
    for given in (
        {"port": 8883, "ca": []},
        {"port": 0, "ca": [NEW]},
        {"port": 65536, "ca": [NEW]},
        {"port": "8883", "ca": [NEW]},
        {"port": 8883, "ca": ["AAAA"]},
        {"port": 8883, "ca": ["MII!" + "?" * 3]},
        {"port": 8883, "ca": [NEW + " " + NEW]},
        {"port": 8883, "ca": [7]},
        {"port": 8883},
        {"ca": [NEW]},
        [],
        {"port": 8883, "ca": [NEW] * 12},
    ):
        try:
            Trust(nvs, config).offer(given)
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
        else:
            raise AssertionError(given)
    assert nvs.values == {}


def test_a_failing_or_damaged_memory_leaves_config_json():
    nvs, config = Nvs(), _board()
    nvs.broken = True
    assert _is_refused(nvs, config, NEW)
    assert Trust(nvs, config).ca == config.ca
    nvs.broken = False
    _offer(nvs, config, NEW)
    _committed(nvs, config)
    for key in ("tls_1", "tls_2"):
        if key in nvs.values:
            nvs.values[key] = b"\xff" * len(nvs.values[key])
    assert Trust(nvs, config).ca == config.ca


def test_a_cut_at_any_write_leaves_what_is_in_force_or_the_new():
    for cut in range(6):
        nvs, config = Nvs(), _board()
        _offer(nvs, config, NEW)
        _committed(nvs, config)
        _offer(nvs, config, OTHER)
        left = [cut]

        def write(key, value, values=nvs.values, left=left):
            if not left[0]:
                raise OSError(-1)
            left[0] -= 1
            values[key] = value if isinstance(value, int) else bytes(value)

        nvs.set_blob = nvs.set_i32 = write
        refused = _is_refused(nvs, config, FOURTH)
        assert refused == (cut < 3), cut
        wanted = (OTHER, NEW, NEW, FOURTH)[min(cut, 3)]
        assert Trust(nvs, config).ca == wanted, cut

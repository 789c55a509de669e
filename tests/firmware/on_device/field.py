"""A node in the field: the real wake over a flash that can fail, talking to ``peer``."""

import random

import peer
from flash import Flash, PowerCut
from lib import mqtt
from node import config, wake
from node.exchange import session, uplink
from node.storage import records
from slots import Slots


class Nvs:
    """Named values that outlive power."""

    def __init__(self):
        self._values = {}

    def get_i32(self, key):
        if key not in self._values:
            raise OSError(-4354)
        return self._values[key]

    def set_i32(self, key, value):
        self._values[key] = value

    def get_blob(self, key, buffer):
        value = self.get_i32(key)
        buffer[: len(value)] = value
        return len(value)

    def set_blob(self, key, value):
        self._values[key] = bytes(value)

    def erase_key(self, key):
        del self._values[key]

    def commit(self):
        pass


class _Pin:
    def active(self):
        return False


class Board:
    """Clock, reset cause and flash; the rest of a board is not there."""

    def __init__(self, sectors, wild):
        self.flash = Flash(sectors, wild)
        self.now = 1795212000
        self.drift_ppm = 0
        self._rtc = 946684800
        self._cause = "power"
        self.broker = None
        self.motion = self.tilt = _Pin()

    def prepare(self, _config):
        pass

    def pass_s(self, seconds):
        """Time goes on, and the board's clock as it runs."""
        self.now += seconds
        self._rtc += seconds + seconds * self.drift_ppm / 1e6

    def boots(self, cause):
        """The next wake starts for this reason; without power the clock starts in 2000."""
        self._cause = cause
        if cause == "power":
            self._rtc = 946684800

    def cause(self):
        return self._cause

    def rtc_s(self):
        return int(self._rtc)

    def set_rtc(self, unix_s):
        self._rtc = unix_s

    def network_time(self, _host, _timeout_s):
        return int(self.now)

    def ring_device(self):
        return self.flash

    def wlan(self):
        return None

    def link(self, _config, _address):
        return self

    def join(self):
        if not self.broker.reached:
            raise OSError("no network")

    def rssi(self):
        return -70

    def time(self):
        return None

    def feed(self):
        pass

    def unload_driver(self):
        pass


class Measurement:
    """Adds one reading a wake: a number that never comes again. ``kept``: the append returned."""

    kept = ()
    under_way = None
    number = 0
    share_of_events = 0.05

    def __init__(self, board, _config, queue, _plan):
        self._board, self._queue = board, queue
        self.value, self.moved, self.event, self.mv = None, False, False, 3987

    def set_up(self):
        pass

    def level(self):
        cls = Measurement
        cls.number += 1
        cls.under_way = cls.number
        up = wake.clock.up(self._queue.state, self._board.rtc_s())
        self._queue.add_sample(records.Sample(up, "mm", cls.number, 1, 7, 7, 110))
        cls.under_way = None
        cls.kept.append(cls.number)
        self.value = cls.number
        if random.random() < self.share_of_events:
            self._queue.add_event(up, '"k":"motion","ms":1200')
            self.event = True

    def check_tamper(self):
        pass

    def battery(self):
        pass


class Node(wake.Wake):
    """The node, measuring with the :class:`Measurement` of above."""

    def _new_measurement(self):
        return Measurement(self._board, self._config, self._queue, self._plan)


class Field:
    """One node, its broker and gateway. ``cuts`` counts the times that its power failed."""

    def __init__(self, sectors=16, wild=False, ntp="pool", **settings):
        self.gateway = peer.Gateway()
        self.broker = peer.Broker(self.gateway)
        peer.Client.broker = self.broker
        self.board = Board(sectors, wild)
        self.nvs = Nvs()
        given = {"device": peer.DEVICE, "key": "".join("%02x" % byte for byte in range(32))}
        given["broker"], given["ntp"], given["motion"] = {"host": "broker"}, ntp, False
        given.update(settings)
        self.config = config.Config(given)
        self.cuts = 0
        self.wakes = 0
        self.queue = None
        Measurement.kept, Measurement.number = [], 0
        mqtt.Client = peer.Client
        self.board.broker = self.broker
        uplink.print = lambda *_: None
        # Thousands of wakes in one process: their modules stay.
        wake.unload = uplink.unload = session.unload = lambda *_: None
        mqtt.resumed = lambda held: held

    def wake(self, cut=None):
        """One wake, and the sleep after it; the power fails after ``cut`` bytes of flash."""
        self.board.flash.cut = cut
        self.gateway.now = int(self.board.now)
        self.wakes += 1
        try:
            node = Node(self.board, self.config, Slots(self.nvs), self.board.feed)
            self.queue = node._queue
            sleep_s, _ = node.run()
        except PowerCut:
            self.cuts += 1
            self.broker.client = None
            self.board.flash.cut = None
            self.board.boots("power")
            self.board.pass_s(random.randint(1, 900))
            return
        self.board.flash.cut = None
        self.board.boots("wake")
        self.board.pass_s(sleep_s + 4)

    def settle(self, wakes=60):
        """Everything works again: wake until nothing is held any more. Returns whether it is."""
        self.broker.chances = {}
        self.broker.reached = self.broker.gateway_up = True
        for _ in range(wakes):
            self.wake()
            held = [h for h in self.queue.messages() if not self.queue.freed(h)]
            if not held and not self.queue.state.unsealed_count:
                return True
        return False

    def arrived(self):
        """{reading: how many different messages carry it}, of all that the gateway journaled."""
        found = {}
        for value, _ in self.gateway.readings():
            found[value] = found.get(value, 0) + 1
        return found

    def gaps(self):
        """Readings that events declared dropped."""
        return sum(event["n"] for event in self.gateway.events() if event["k"] == "gap")

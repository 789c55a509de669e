"""One connection of a wake: link, clock, messages, orders."""

import hashlib
import os

from lib import unload
from micropython import const
from node.exchange import signing_key
from node.policy import schedule
from node.storage import clock, envelope

_NTP_TIMEOUT_S = const(1)
_DIGITS = const(b"abcdefghijklmnopqrstuvwxyz234567")


class Speaking:
    """Speaks for ``queue`` over ``board``'s radio."""

    def __init__(self, board, config, queue, plan, care):
        self._board = board
        self._config = config
        self._key = envelope.Key(config.key)
        self._queue = queue
        self._state = queue.state
        self._plan = plan
        self._lte = bool(config.lte)
        self._care = care
        self._identity = signing_key.Identity(care.nvs)
        queue.signs = self._identity.present
        self.reboot = False
        """Whether an order asks for a reset after this wake."""
        self.release = None
        """What node.update needs to go on with a release that was ordered, its connection open."""

    def speak(self, found):
        """Connect and converse; a failure backs off, and an event is sealed all the same.

        ``found``: wake.Found.
        """
        state = self._state
        # Counted before it begins: whatever ends this wake, the next attempt waits.
        state.fails = min(state.fails + 1, 255)
        state.retry_up = self._up() + schedule.retry_s(state.fails, state.recovery, self._lte)
        self._queue.save()
        try:
            self.need_era()
            link = self._board.link(self._config, self._address())
            link.join()
            self._care.feed()
            self._need_key()
            self._talk(link, found)
            state.fails = state.retry_up = 0
        except OSError as error:
            print("no connection:", error)
            self._care.heard(False, self._up(), self._plan)
            state.retry_up = self._up() + schedule.retry_s(state.fails, state.recovery, self._lte)
            if found.event and state.unsealed_count:
                self.seal(found.mv)

    def _talk(self, link, found):
        from lib import mqtt
        from node.exchange import session

        client = mqtt.Client(
            self._config.host,
            self._config.port,
            self._config.device,
            self._config.login,
            self._config.password,
            ca=self._config.ca,
            will=(self._config.topic("status"), session.WILL),
        )
        talk = session.Conversation(
            client, self._config, self._key, self._queue, self._draw, self._identity
        )
        self._set_clock(link)  # before TLS, which checks dates
        try:
            talk.open()
            wanted = self._converse(talk, link, found)
            if wanted:
                floor = self._state.fw_floor
                self.release = client, self._key, wanted, found.mv, floor
        finally:
            if self.release is None:
                talk.close()

    def _converse(self, talk, link, found):
        """Say and hear all that there is. Returns the ``update`` that is in force, if any."""
        state = self._state
        wanted = self._opened(talk.down)
        resend = self._obey(wanted, found)
        unload("node.exchange.orders", "lib.strict_json")
        published = state.published
        wait_ms = schedule.ack_wait_ms(state.misses, self._lte)
        talk.speak(self.seal(found.mv, link.rssi()), published, wait_ms)
        state.pending = 0
        if found.value is not None:
            state.spoken, state.spoken_set = found.value, 1
        if resend:
            talk.resend(*resend)
        state.misses = 0 if talk.answered else min(state.misses + 1, 255)
        self._care.feed()
        self._care.heard(talk.time_s is not None, self._up(), self._plan)
        if talk.time_s and clock.wants(state, self._board.rtc_s()):
            self.take_time(talk.time_s, clock.GW)
        return wanted.get("update") if wanted and wanted["n"] == state.down_n else None

    def seal(self, mv, rssi=0):
        """Seal what is unsealed, into at least one message; returns the newest header."""
        self.need_era()
        up = self._up()
        return self._queue.seal(up, self._plan.promise_s(up), mv, rssi)

    def _opened(self, payload):
        if not payload:
            return None
        from node.exchange import orders  # most wakes have none

        return orders.opened(self._key, self._config.topic("down"), payload)

    def _obey(self, given, found):
        """Apply a ``down``. Returns what to publish again: (era, after which identity), or None."""
        if given is None:
            return None
        from node.exchange import orders

        told = orders.take(given, self._state)
        if told is None:
            return None
        self.reboot = told.reboot
        if self._care.awaits(given):
            told.code = told.code or "update"  # answered again when it runs, or does not
        if told.recover and not self._state.recovery:
            schedule.begin_recovery(self._state, self._up(), schedule.ORDERED)
            found.event = True
        self._queue.add_event(self._up(), told.conf(self._state, self._plan))
        self._queue.save()  # each once-id once, whatever happens to this connection
        return (told.resend_era, told.resend_after) if told.resend_era else None

    def need_era(self):
        """Draw the era when the counters are new."""
        if not any(self._state.era):
            self._queue.open_era(self._draw())

    def _need_key(self):
        """Make the signing key, once; say that it was lost, once."""
        state, key = self._state, self._identity
        if not key.present and not state.keyed:
            self._board.wlan()  # on: its noise feeds the generator
            key.make()
        if key.present:
            state.keyed, self._queue.signs = 1, True
        elif state.keyed == 1:
            state.keyed = 2
            self._queue.add_event(self._up(), '"k":"fault","s":"sig","c":"lost"')

    def _draw(self):
        self._board.wlan()  # the radio's noise feeds the generator
        return bytes(_DIGITS[byte & 31] for byte in os.urandom(8))

    def _address(self):
        """The hardware address of this boot: another one each, that only the key's owner knows."""
        from lib import wifi

        seed = self._config.key + self._state.era + b"%d" % self._state.boot
        return wifi.address(hashlib.sha256(b"noria-mac" + seed).digest())

    # Time

    def _set_clock(self, link):
        if not clock.wants(self._state, self._board.rtc_s()):
            return
        self.take_time(link.time(), clock.NET)
        if self._config.ntp and clock.wants(self._state, self._board.rtc_s()):
            self.take_time(self._board.network_time(self._config.ntp, _NTP_TIMEOUT_S), clock.NTP)
        # Certificates are judged by the board's clock: it cannot be before what we know has passed.
        passed = max(clock.BUILT, self._state.ack_t)
        floor = clock.at_least(self._state, self._board.rtc_s(), passed)
        if floor:
            self._board.set_rtc(floor)
            self._queue.save()

    def take_time(self, unix_s, source):
        """Set the clock from ``source`` unless ``unix_s`` cannot be a time; a step is an event."""
        if not clock.plausible(unix_s):
            return
        tail = self._queue.ring.tail
        by = clock.step(self._state, self._board.rtc_s(), unix_s, source, tail)
        self._board.set_rtc(unix_s)
        if by:
            self._queue.add_event(self._up(), '"k":"time","by":%d' % by)
        self._queue.save()

    def _up(self):
        return clock.up(self._state, self._board.rtc_s())

"""One connection of a wake: link, clock, messages, orders."""

import gc
import os

from lib import unload
from micropython import const
from node.exchange import signing_key
from node.policy import schedule
from node.storage import clock, envelope, mishaps

_DIGITS = const(b"abcdefghijklmnopqrstuvwxyz234567")


class Uplink:
    """Sends ``queue``'s messages over ``board``'s radio."""

    def __init__(self, board, config, queue, plan, update_status):
        self._board = board
        self.config = config
        self._key = envelope.Key(config.key)
        self.queue = queue
        self.state = queue.state
        self.plan = plan
        self._lte = bool(config.lte)
        self.update_status = update_status
        self._signing_key = signing_key.SigningKey(update_status.nvs)
        queue.signs = self._signing_key.present
        self.reboot = False
        """Whether orders ask for a reset after this wake."""
        self.release = None
        """Arguments of ``Download.run`` for an ordered release, its connection open; else None."""

    def report(self, found):
        """Connect and exchange messages. ``found``: wake.Findings. Raises what radio, network and
        flash raise: of any class."""
        self.ensure_era()
        self._exchange(self._join(), found)
        self.state.fails = self.state.retry_up = 0

    def _join(self):
        from node.exchange import joining

        feed = self.update_status.feed
        key, join = self._signing_key, joining.joined
        rssi = join(self._board, self.config, self.queue, feed, key, self.set_time)
        del joining, join
        unload("node.exchange.joining", "lib.wifi")
        gc.collect()
        return rssi

    def _exchange(self, rssi, found):
        from node.exchange.session import WILL, Session

        broker = self.config
        try:
            if self.update_status.nvs.get_i32("tls"):
                from node.exchange import trust  # orders gave other CAs: few nodes need it

                broker = trust.load(self, broker)
        except OSError:
            pass  # NVS has none, or does not answer
        session = Session(
            self._new_client(broker, WILL), self.config, self._key, self.queue, self._draw,
            self._signing_key,
        )  # fmt: skip
        try:
            session.open()
            wanted = self._exchange_messages(session, rssi, found)
            if broker is not self.config and session.time_s is not None:
                broker.commit(self, wanted)
            if wanted:
                floor = self.state.fw_floor
                self.release = session.client, self._key, wanted, found.mv, floor
        finally:
            if self.release is None:
                session.close()

    def _new_client(self, broker, will):
        from lib import mqtt  # not in this frame while a signature is made: session.py

        return mqtt.Client(
            self.config.host,
            broker.port,
            self.config.device,
            self.config.login,
            self.config.password,
            ca=broker.ca,
            will=(self.config.topic("status"), will),
        )

    def _exchange_messages(self, session, rssi, found):
        """Apply orders, publish and process acks. Returns the ``update`` in force, if any."""
        state = self.state
        wanted = self._decode_orders(session.down)
        resend = self._apply_orders(wanted, found)
        unload("node.exchange.orders", "lib.strict_json")
        published = state.published
        wait_ms = schedule.ack_wait_ms(state.misses, self._lte)
        session.publish(self.seal(found.mv, rssi), published, wait_ms)
        state.pending = 0
        if found.value is not None:
            state.reported, state.reported_set = found.value, 1
        if resend:
            session.resend(*resend)
        state.misses = 0 if session.answered else min(state.misses + 1, 255)
        self.update_status.feed()
        self.update_status.record_attempt(session.time_s is not None, self.up(), self.plan)
        if session.time_s:
            rtc_s = self._board.rtc_s()
            if clock.wants(state, rtc_s) or clock.differs(state, rtc_s, session.time_s):
                self.set_time(session.time_s, clock.GW)
        return wanted.get("update") if wanted and wanted["n"] == state.down_n else None

    def seal(self, mv, rssi=0):
        """Seal the unsealed records into at least one message; returns the newest header."""
        self.ensure_era()
        up = self.up()
        for fields in mishaps.report(self.state):
            self.queue.add_event(up, fields)
        return self.queue.seal(up, self.plan.promise_s(up), mv, rssi)

    def _decode_orders(self, payload):
        if not payload:
            return None
        from node.exchange import orders  # most wakes have none

        return orders.decode(self._key, self.config.topic("down"), payload)

    def _apply_orders(self, given, found):
        """Apply a ``down``. Returns the range to resend, (era, after which identity), or None."""
        if given is None:
            return None
        from node.exchange import orders

        asked = orders.apply(given, self.state)
        if asked is None:
            return None
        self.reboot = asked.reboot
        if self.update_status.wants(given):
            asked.code = asked.code or "update"  # answered again once it runs or failed
        if asked.recover and not self.state.recovery:
            schedule.begin_recovery(self.state, self.up(), schedule.ORDERED)
            found.event = True
        more = ""
        if "tls" in given:
            from node.exchange import trust

            more = trust.apply(self, given, asked)
        self.queue.add_event(self.up(), asked.conf(self.state, self.plan) + more)
        self.queue.save()  # each once-id is done once, even if this connection breaks
        return (asked.resend_era, asked.resend_after) if asked.resend_era else None

    def ensure_era(self):
        """Draw an era if there is none."""
        if not any(self.state.era):
            self.queue.open_era(self._draw())

    def _draw(self):
        self._board.wlan()  # switched on, since its noise feeds the random generator
        return bytes(_DIGITS[byte & 31] for byte in os.urandom(8))

    def set_time(self, unix_s, source):
        """Set the clock from ``source``, unless ``unix_s`` cannot be a time or contradicts the
        gateway's acks; a step is recorded as an event."""
        if not clock.plausible(unix_s):
            return
        if source != clock.GW and clock.contradicted(self.state, self._board.rtc_s(), unix_s):
            return
        tail = self.queue.ring.tail
        by = clock.step(self.state, self._board.rtc_s(), unix_s, source, tail)
        self._board.set_rtc(unix_s)
        if by:
            self.queue.add_event(self.up(), '"k":"time","by":%d' % by)
        self.queue.save()

    def up(self):
        """Seconds of this boot, now."""
        return clock.up(self.state, self._board.rtc_s())

"""One wake of the node, from the watchdog to deep sleep (DESIGN.md, *The node*)."""

import os
import time

from drivers import presence
from lib import mqtt, wifi

from node import FW, clock, conversation, envelope, measure, orders, policy, records
from node.queue import FULL_COUNT, Queue
from node.ring import Ring

_SAMPLES = 7
_SENSE_MS = 3000
_LINK_MS = 10_000
_NTP_TIMEOUT_S = 1
_GLANCE_MS = 200
_SHAKES = 8
_DIGITS = b"abcdefghijklmnopqrstuvwxyz234567"


class Wake:
    """One wake on ``board`` with ``config``. ``run`` returns (seconds to sleep, watch pins)."""

    def __init__(self, board, config):
        self._board = board
        self._config = config
        self._key = envelope.Key(config.key)
        self._queue = Queue(Ring(board.ring_device()), FW, config.k)
        self._state = self._queue.state
        self._plan = policy.Plan(config, self._state)
        self._event = False  # confirmed in this wake
        self._moved = False
        self._value = None
        self._mv = 0
        self._reboot = False

    def run(self):
        """Sense, keep, speak when there is reason to. The board sleeps or resets after it."""
        self._boot()
        self._sense()
        self._presence()
        self._battery()
        if self._plan.speaks(self._up(), self._moved, self._event, self._mv):
            self._speak()
        elif self._state.unsealed_count >= FULL_COUNT:
            self._seal()
        self._queue.save()
        if self._reboot:
            self._board.reboot()
        return self._plan.sleep_s(self._up()), not self._state.recovery

    def _up(self):
        return clock.up(self._state, self._board.rtc_s())

    # The boot

    def _boot(self):
        """Every reset but a wake from deep sleep is a boot; so is a clock that went back."""
        state, rtc_s = self._state, self._board.rtc_s()
        cause = self._board.cause()
        if cause == "wake" and state.boot and rtc_s >= state.base + state.last_up:
            return
        if state.unsealed_count and not self._queue.only_boots():
            # What that boot left is sealed under its number, with its last record's times.
            self._need_era()
            self._queue.seal(state.last_up, self._plan.promise_s(state.last_up))
        if not state.boot or state.seq:  # a boot without a reading never counted
            state.boot, state.seq = state.boot + 1, 0
        state.unsealed, state.unsealed_count = self._queue.ring.tail, 0
        self._begin(rtc_s - time.ticks_diff(time.ticks_ms(), 0) // 1000)
        self._queue.save()
        # A board that resets has lost its accelerometer's settings too.
        self._board.accelerometer()
        self._queue.add_event(0, '"k":"boot","c":"%s"' % cause)

    def _begin(self, base):
        state = self._state
        state.base = base
        state.clock_source, state.clock_up = clock.NONE, 0
        state.last_up = state.promise_up = state.retry_up = 0
        state.fails = state.recovery = state.recovery_up = state.motion_up = 0
        state.pending = 1

    # What goes on at the tank

    def _sense(self):
        sensor = self._board.sensor(self._config)
        samples = measure.sampled(sensor.read, time.ticks_ms, time.ticks_diff, _SAMPLES, _SENSE_MS)
        self._board.sensor_off()
        burst = measure.burst(samples)
        state, quantity = self._state, sensor.quantity
        self._queue.add_sample(
            records.Sample(
                self._up(), quantity, burst.value, burst.spread, burst.valid, burst.tried
            )
        )
        self._value = burst.value
        if burst.value is not None:
            change = abs(burst.value - state.spoken)
            self._moved = not state.spoken_set or change >= self._plan.change(quantity)

    def _presence(self):
        motion, tilt = self._board.motion, self._board.tilt
        if not tilt.active():
            self._state.tilted = 0
        if self._state.recovery:
            self._recover()
            return
        pins = (motion,) if self._state.tilted else (motion, tilt)
        if self._board.woke_by_pin() or any(pin.active() for pin in pins):
            self._confirm(pins)

    def _confirm(self, pins):
        """Five seconds of motion or tilt are an event that speaks; one bump is a quiet one."""
        confirmed, lasted_ms = presence.watch(pins)
        self._tell_motion(lasted_ms)
        if confirmed:
            self._enter_recovery()

    def _tell_motion(self, lasted_ms):
        accelerometer = self._board.accelerometer()
        shaken = [accelerometer.read_mg() for _ in range(_SHAKES)] if accelerometer else []
        gravity = measure.mean(shaken)  # shaking averages out, gravity stays
        peak = ',"mg":%d' % max(measure.magnitude(axes) for axes in shaken) if shaken else ""
        self._queue.add_event(self._up(), '"k":"motion","ms":%d%s' % (lasted_ms, peak))
        if self._board.tilt.active():
            # Without the chip's own figures the pin says: at least its threshold.
            deg = measure.tilt_deg(gravity) if gravity else presence.TILT_DEG
            self._queue.add_event(self._up(), '"k":"tilt","deg":%d' % deg)
            self._state.tilted = 1

    def _enter_recovery(self):
        state = self._state
        state.recovery, state.pending = 1, 1
        state.recovery_up = state.motion_up = self._up()
        self._event = True

    def _recover(self):
        state, up = self._state, self._up()
        _, lasted_ms = presence.watch((self._board.motion,), _GLANCE_MS)
        if lasted_ms or self._board.motion.active():
            state.motion_up = up
            self._tell_motion(lasted_ms)
        elif up - state.motion_up >= policy.STILL_S:
            self._queue.add_event(up, '"k":"still"')
            state.recovery, state.pending = 0, 1

    def _battery(self):
        self._mv = self._board.battery_mv() if self._config.battery else 0
        low = policy.low_battery(self._state, self._mv)
        if low != self._state.low:
            self._state.low, self._state.pending = low, 1
            code = "low" if low else "ok"
            self._queue.add_event(self._up(), '"k":"fault","s":"battery","c":"%s"' % code)

    # Speaking

    def _speak(self):
        state = self._state
        try:
            if not wifi.join(self._board.wlan(), self._config.wifi, _LINK_MS):
                raise OSError("no network of %d answered" % len(self._config.wifi))
            self._need_era()
            self._talk()
            state.fails = state.retry_up = 0
        except OSError as error:
            print("no connection:", error)
            state.fails = min(state.fails + 1, 255)
            state.retry_up = self._up() + policy.retry_s(state.fails, state.recovery)
            if self._event and state.unsealed_count:
                self._seal()

    def _talk(self):
        client = mqtt.Client(
            self._config.host,
            self._config.port,
            self._config.device,
            self._config.login,
            self._config.password,
            ca=self._config.ca,
            will=(self._config.topic("status"), conversation.WILL),
        )
        talk = conversation.Conversation(client, self._config, self._key, self._queue, self._draw)
        self._set_clock()  # before TLS, which checks dates
        try:
            talk.open()
            self._converse(talk)
        finally:
            talk.close()

    def _converse(self, talk):
        state = self._state
        told = self._obey(talk.down)
        published = state.published
        wait_ms = policy.ack_wait_ms(state.misses)
        talk.speak(self._seal(wifi.rssi(self._board.wlan())), published, wait_ms)
        state.pending = 0
        if self._value is not None:
            state.spoken, state.spoken_set = self._value, 1
        if told and told.resend_era:
            talk.resend(told.resend_era, told.resend_after)
        state.misses = 0 if talk.answered else min(state.misses + 1, 255)
        if talk.time_s and clock.wants(state, self._board.rtc_s()):
            self._take_time(talk.time_s, clock.GW)

    def _seal(self, rssi=0):
        self._need_era()
        up = self._up()
        return self._queue.seal(up, self._plan.promise_s(up), self._mv, rssi)

    def _obey(self, payload):
        if payload is None:
            return None
        told = orders.take(self._key, self._config.topic("down"), payload, self._state)
        if told is None:
            return None
        self._reboot = told.reboot
        if told.recover and not self._state.recovery:
            self._enter_recovery()
        self._queue.add_event(self._up(), told.conf(self._plan))
        self._queue.save()  # each once-id once, whatever happens to this connection
        return told

    def _need_era(self):
        if not any(self._state.era):
            self._queue.open_era(self._draw())

    def _draw(self):
        self._board.wlan()  # the radio's noise feeds the generator
        return bytes(_DIGITS[byte & 31] for byte in os.urandom(8))

    # Time

    def _set_clock(self):
        if self._config.ntp and clock.wants(self._state, self._board.rtc_s()):
            unix_s = self._board.network_time(self._config.ntp, _NTP_TIMEOUT_S)
            if clock.plausible(unix_s):
                self._take_time(unix_s, clock.NTP)

    def _take_time(self, unix_s, source):
        if not clock.plausible(unix_s):
            return
        by = clock.step(self._state, self._board.rtc_s(), unix_s, source)
        self._board.set_rtc(unix_s)
        if by:
            self._queue.add_event(self._up(), '"k":"time","by":%d' % by)
        self._queue.save()

"""The model of the chip: answers each call of the shims from the state of the world."""

from collections.abc import Callable
from typing import Any

from firmware.virtual.host import energy
from firmware.virtual.host.accelerometer import LIS3DH
from firmware.virtual.host.ads1115 import ADS1115
from firmware.virtual.host.modem import Modem
from firmware.virtual.host.power_chip import AXP2101
from firmware.virtual.host.sensors import a02yyuw_frame, echo_mm, hx711_counts, jsn_mm, scale_g
from firmware.virtual.host.world import World

Call = dict[str, Any]
"""One call as the shim sent it: ``op``, ``ms`` (device ticks) and the operation's own fields."""

_ENODEV = 19
_FRAME_MS, _WARM_UP_MS = round(energy.FRAME_S * 1000), round(energy.WARM_UP_S * 1000)  # A02YYUW
_JSN_FRAME_MS = 100  # a JSN-SR04T that sends unasked
_ASKED = {"asked": b"\x55", "aj-sr04m": b"\x01"}  # modes of sensors that wait for this byte
_ANSWER_MS = 80
_UART_BUFFER = 256
_BURST_PAUSE_MS, _BURST_MS = 1000, 10_000
"""Conversions less than a second of device time apart weigh the same water, for at most 10 s.
People draw by the scaled clock: at 600 times real time minutes of it pass in the host between two
conversions that the board makes 100 ms apart."""
_LINK_MS = round(energy.JOIN_S * 1000)
_STAT_IDLE, _STAT_CONNECTING, _STAT_GOT_IP, _STAT_NO_AP = 1000, 1001, 1010, 201
_SOUND_MM_PER_US = 0.3432  # at 20 degC
_NO_ECHO_US = 60_000
_DIVIDER = 2


class Chip:
    """Peripherals of one board during one boot; ``network()`` is whether its uplink works."""

    def __init__(self, world: World, config: dict[str, Any], network: Callable[[], bool]) -> None:
        self._world = world
        self._config = config
        self._network = network
        self._accelerometer = LIS3DH(world)
        self.power_chip = AXP2101(lambda: world.battery_mv, self._rails_changed)
        self.modem = Modem(world)
        self.address, self.host_name = "", ""
        """The last hardware address and host name that the access point and DHCP received."""
        self._at_ms = 0
        self._adc = ADS1115(world, config)
        self._sensor_on_ms: int | None = None
        self._frames_sent = 0
        self._answer_ms: int | None = None
        self._burst_ms: tuple[int, int] | None = None
        """Device time of the first and of the last conversion of the scale's burst."""
        self._load_g, self._load_levels_set = 0.0, 0
        self._radio_on = False
        self._link_from_ms: int | None = None

    def power_on(self) -> None:
        """A new supply: parts that keep their settings in deep sleep lose them."""
        self._accelerometer.power_on()
        self.power_chip.power_on()
        self.modem.cut()

    def start(self) -> None:
        """A new boot: parts that deep sleep or a reset switches off are off."""
        self._sensor_on_ms = None
        self._burst_ms = None
        self._radio_on = False
        self._link_from_ms = None

    def answer(self, call: Call) -> object:
        """The value of one call. Raises OSError with the number for the shim to raise."""
        self._at_ms = call["ms"]
        operation = getattr(self, f"_op_{call['op']}", None)
        if operation is None:
            raise LookupError(f"the firmware's shim asked for {call['op']!r}: the model has none")
        return operation(call)

    def pin_level(self, role: str) -> int:
        """Level of an input pin by its role."""
        if role == "motion":
            return int(self._world.moving and "accelerometer" not in self._world.unplugged)
        if role == "tilt":
            tilted = self._accelerometer.tilt_pin
            return int(tilted and "accelerometer" not in self._world.unplugged)
        if role == "lid":  # a reed without its magnet is open; a lit transistor pulls down
            return int(self._world.lid_open == (self._config.get("lid") != "light"))
        return 0

    def _op_pin(self, call: Call) -> object:
        return self.pin_level(call["role"])

    def _op_pin_set(self, call: Call) -> None:
        if call["role"] == "modem_key":
            self.modem.key(call["level"], call["ms"])
        elif call["role"] == "sensor_power":
            self._power_sensor(call["level"], call["ms"])

    def _power_sensor(self, on: bool, at_ms: int) -> None:
        if not on:
            self._sensor_on_ms = None
        elif self._sensor_on_ms is None:
            self._sensor_on_ms, self._frames_sent, self._answer_ms = at_ms, 0, None

    def _rails_changed(self) -> None:
        self._power_sensor(self.power_chip.rail("dc5"), self._at_ms)
        if not (self.power_chip.rail("dc3") and self.power_chip.rail("bldo1")):
            self.modem.cut()

    def _op_uart_open(self, call: Call) -> None:
        if call["role"] != "modem_rx":
            self._skip_frames(call["ms"])

    def _op_uart_write(self, call: Call) -> None:
        data = bytes.fromhex(call["data"])
        if call["role"] == "modem_rx":
            self.modem.write(data, call["ms"])
        elif self._ask and self._ask in data and self._listens(call["ms"]):
            self._answer_ms = call["ms"] + _ANSWER_MS

    def _listens(self, at_ms: int) -> bool:
        return self._sensor_on_ms is not None and at_ms - self._sensor_on_ms >= _WARM_UP_MS

    def _op_uart(self, call: Call) -> object:
        if call["role"] == "modem_rx":
            data, wait_ms = self.modem.read(call["ms"])
            return [data.hex(), wait_ms]
        due = self._frames_due(call["ms"]) - self._frames_sent
        self._frames_sent += due
        kept = min(due, _UART_BUFFER // 4)
        measure = jsn_mm if self._sensor == "jsn-sr04t" else echo_mm
        start = 0 if self._config.get("mode") == "aj-sr04m" else 0xFF
        frames = b"".join(a02yyuw_frame(measure(self._world), start) for _ in range(kept))
        return [frames.hex(), self._next_frame_ms(call["ms"])]

    def _next_frame_ms(self, at_ms: int) -> int:
        if self._sensor_on_ms is None or self._ask:
            return max(self._answer_ms - at_ms, 1) if self._answer_ms else self._frame_ms
        next_ms = self._sensor_on_ms + _WARM_UP_MS + (self._frames_sent + 1) * self._frame_ms
        return max(next_ms - at_ms, 1)

    def _skip_frames(self, at_ms: int) -> None:
        self._frames_sent = self._frames_due(at_ms)

    def _frames_due(self, at_ms: int) -> int:
        sends = self._sensor in ("a02yyuw", "jsn-sr04t") and self._plugged
        if self._sensor_on_ms is None or not sends:
            return self._frames_sent
        if self._ask:
            if self._answer_ms is None or at_ms < self._answer_ms:
                return self._frames_sent
            self._answer_ms = None
            return self._frames_sent + 1
        return max((at_ms - self._sensor_on_ms - _WARM_UP_MS) // self._frame_ms, 0)

    @property
    def _ask(self) -> bytes:
        return _ASKED.get(self._config.get("mode", ""), b"")

    @property
    def _frame_ms(self) -> int:
        return _JSN_FRAME_MS if self._sensor == "jsn-sr04t" else _FRAME_MS

    @property
    def _sensor(self) -> str:
        return self._config.get("sensor", "a02yyuw")

    @property
    def _plugged(self) -> bool:
        return "sensor" not in self._world.unplugged

    def _op_echo_us(self, call: Call) -> object:
        """Microseconds of the pulse on ECHO, a long one without an echo; None when none begins."""
        if not self._plugged or self._sensor_on_ms is None:
            return None
        distance = jsn_mm(self._world)
        return _NO_ECHO_US if distance is None else round(2 * distance / _SOUND_MM_PER_US)

    def _op_weight(self, call: Call) -> object:
        """Counts of the scale; None: DOUT does not fall."""
        if not self._plugged:
            return None
        at_ms = call["ms"]
        since_ms, last_ms = self._burst_ms or (at_ms, at_ms - _BURST_PAUSE_MS)
        is_over = at_ms - last_ms >= _BURST_PAUSE_MS or at_ms - since_ms >= _BURST_MS
        if is_over or self._load_levels_set != self._world.levels_set:
            since_ms, self._load_g = at_ms, scale_g(self._world)
            self._load_levels_set = self._world.levels_set
        self._burst_ms = since_ms, at_ms
        zero, scale = self._config.get("zero", 0), self._config.get("counts_per_kg", 21500)
        return hx711_counts(self._world, self._load_g, zero, scale)

    def _op_adc_uv(self, call: Call) -> object:
        return self._world.battery_mv * 1000 // _DIVIDER

    def _op_i2c_read(self, call: Call) -> object:
        return self._part(call).read(call["register"], call["count"]).hex()

    def _op_i2c_write(self, call: Call) -> None:
        self._part(call).write(call["register"], bytes.fromhex(call["data"]))

    def _part(self, call: Call) -> LIS3DH | ADS1115 | AXP2101:
        part = self._parts().get(call["address"])
        if part is None:
            raise OSError(_ENODEV, "no such device on the bus")
        if not isinstance(part, AXP2101):
            part.at_ms = call["ms"]
        return part

    def _parts(self) -> dict[int, LIS3DH | ADS1115 | AXP2101]:
        """The parts that answer on the bus now, by address."""
        found: dict[int, LIS3DH | ADS1115 | AXP2101] = {}
        if "accelerometer" not in self._world.unplugged:
            found[LIS3DH.ADDRESS] = self._accelerometer
        if self._sensor == "probe" and self._plugged and self._sensor_on_ms is not None:
            found[ADS1115.ADDRESS] = self._adc
        if self._config.get("board") == "t_sim7080g" and not self.power_chip.silent:
            found[AXP2101.ADDRESS] = self.power_chip
        return found

    def _op_wifi_is_active(self, call: Call) -> object:
        return self._radio_on

    def _op_wifi_active(self, call: Call) -> None:
        self._radio_on = call["on"]
        self._link_from_ms = None

    def _op_wifi_connect(self, call: Call) -> None:
        self._link_from_ms = call["ms"]

    def _op_wifi_scan(self, call: Call) -> object:
        if not (self._world.in_range and self._network()):
            return []
        return [[net["ssid"], self._world.rssi_dbm] for net in self._config.get("wifi", [])]

    def _op_wifi_mac(self, call: Call) -> None:
        self.address = call["mac"]

    def _op_hostname(self, call: Call) -> None:
        self.host_name = call["name"]

    def _op_ppp_connect(self, call: Call) -> None:
        self.modem.connect(call["ms"])

    def _op_ppp_disconnect(self, call: Call) -> None:
        self.modem.disconnect()

    def _op_ppp_status(self, call: Call) -> object:
        if self.modem.connected(call["ms"], self._network()):
            return [_STAT_GOT_IP, 0]
        wait_ms = self.modem.connecting_ms(call["ms"])
        return [_STAT_CONNECTING, wait_ms] if wait_ms else [_STAT_IDLE, 0]

    def _op_wifi_disconnect(self, call: Call) -> None:
        self._link_from_ms = None

    def _op_wifi_rssi(self, call: Call) -> object:
        return self._world.rssi_dbm

    def _op_wifi_status(self, call: Call) -> object:
        status = self._link(call["ms"])
        from_ms = self._link_from_ms
        return [status, 0 if from_ms is None else max(from_ms + _LINK_MS - call["ms"], 0)]

    def _op_ntp(self, call: Call) -> object:
        online = self.modem.connected(call["ms"], self._network())
        return int(self._world.now) if online or self._link(call["ms"]) == _STAT_GOT_IP else None

    def _link(self, at_ms: int) -> int:
        if not self._radio_on or self._link_from_ms is None:
            return _STAT_IDLE
        if at_ms - self._link_from_ms < _LINK_MS:
            return _STAT_CONNECTING
        return _STAT_GOT_IP if self._world.in_range and self._network() else _STAT_NO_AP

"""Charge of a node's states: one table of currents and times, the meter of a board, the budget.

Currents add up: the processor runs in every state but sleep. Sources: [D] the design's figures of
the node, [M] its survey of parts, [S] ESP32 datasheet, current consumption, [E] an estimate, to be
measured on a board. The model of the chip (chip.py) sends and joins by these times.
"""

from dataclasses import dataclass, field
from typing import Any

USABLE_MAH = 2550.0
"""Of a 3400 mAh cell: cold, ageing and the reserve taken off [D]."""

SELF_DISCHARGE_MAH = 1.5
"""A day: 1.5 % a month of 3400 mAh, less than the protection circuit takes with it [D]."""

CPU_MA = 43.0  # a signature of 0.5 s costs 0.006 mAh [D]; 27-44 mA at 160 MHz [S]
SENSOR_MA = 8.0  # A02YYUW [M]
WIFI_MA = 57.0  # over the processor: a handshake of 1.2 s costs 0.033 mAh [D]; receiving 95-100 [S]
TX_MA = 140.0  # over receiving: 190-240 mA [S]
LTE_MA = 77.0  # over the processor: SIM7080G about 120 mA for about 40 s [M]
GNSS_MA = 25.0  # [M]

BOOT_S = 0.35  # from deep sleep to the first line of boot.py [E]
# One wake of the interpreter: 1.1 ms of a desktop, 104-128 times slower [D]; loading .mpy [E].
THINK_S = 0.6
COMPOSE_S = 0.8  # added by a connection: compose, MAC, hash [E]
NETWORK_S = 1.6  # name, round trips to broker and gateway and back; here they take none [E]
TLS_S = 1.2  # a handshake with an own P-256 CA [D]
TX_S = 0.1  # of a connection [E]

# The node's TX, high at rest, selects the A02YYUW's processed values: one each 300 ms (DFRobot,
# SEN0311), and five have to agree. The first takes a further 0.4 s from power up [E].
FRAME_S, WARM_UP_S, SAMPLES = 0.3, 0.4, 5
SENSE_S = WARM_UP_S + SAMPLES * FRAME_S
# A known access point: up to 120 ms on each of 13 channels (ESP-IDF, esp_wifi_set_scan_parameters,
# which connecting uses too), then authentication, association, keys and DHCP [E].
CHANNELS, CHANNEL_S, ASSOCIATE_S = 13, 0.12, 0.94
JOIN_S = CHANNELS * CHANNEL_S + ASSOCIATE_S
ATTACH_S = 38.0  # 15-60 s, of about 40 s in all [M]

_GOT_IP = 1010


@dataclass(frozen=True, slots=True)
class BoardClass:
    """A kind of board: its name and its current asleep, the LIS3DH's 2 uA included."""

    name: str
    asleep_ma: float


CLASSES = {
    "firebeetle": BoardClass("FireBeetle", 0.012),  # 10 uA [M]
    # Its Low Power Pad ships connected and feeds the RGB LED: about 500 uA (DFRobot, DFR0654).
    "firebeetle_pad": BoardClass("FireBeetle, pad not cut", 0.512),
    # 11.9 uA at 3.8 V (a user's PPK2, forum.seeedstudio.com 276444), 2 uA for its divider.
    "xiao_esp32s3": BoardClass("XIAO ESP32S3", 0.016),
    "lolin32": BoardClass("LOLIN32", 0.132),  # 130 uA [M]
    "t_sim7080g": BoardClass("T-SIM7080G", 0.38),  # 0.38-1.8 mA, as its power chip is set [M]
    "nodemcu32s": BoardClass("NodeMCU-32S", 4.7),  # [M]
    "devkitc": BoardClass("DevKitC", 10.0),  # 5-20 mA [M]
}

PLANS = (
    ("firebeetle", "wifi", 24),
    ("firebeetle", "wifi", 96),
    ("firebeetle_pad", "wifi", 24),
    ("t_sim7080g", "lte", 4),
    ("t_sim7080g", "lte", 24),
    ("t_sim7080g", "wifi", 24),
    ("lolin32", "wifi", 24),
    ("nodemcu32s", "wifi", 24),
    ("devkitc", "wifi", 24),
    ("xiao_esp32s3", "wifi", 24),
    ("xiao_esp32s3", "wifi", 96),
)
"""The budget's rows: board, uplink (LTE with its modem's power cut asleep), reports a day."""

CURRENTS_MA = {
    "cpu": CPU_MA,
    "sensor": SENSOR_MA,
    "join": WIFI_MA,
    "talk": WIFI_MA,
    "tx": TX_MA,
    "lte": LTE_MA,
    "gnss": GNSS_MA,
}


def mah(seconds: dict[str, float], board: BoardClass) -> float:
    """The charge in mAh of ``seconds`` in each state."""
    awake = sum(seconds.get(state, 0.0) * ma for state, ma in CURRENTS_MA.items())
    return (awake + seconds.get("asleep", 0.0) * board.asleep_ma) / 3600.0


def sense() -> dict[str, float]:
    """The states of a wake that only measures."""
    return {"cpu": BOOT_S + THINK_S + SENSE_S, "sensor": SENSE_S}


def connection(uplink: str = "wifi", tls: bool = True) -> dict[str, float]:
    """The states that a connection by ``wifi`` or ``lte`` adds to a wake."""
    talk = NETWORK_S + COMPOSE_S + (TLS_S if tls else 0.0)
    if uplink == "lte":
        return {"cpu": ATTACH_S + talk, "lte": ATTACH_S + talk}
    return {"cpu": JOIN_S + talk, "join": JOIN_S, "talk": talk, "tx": TX_S}


def mah_a_day(
    board: BoardClass, reports: float, uplink: str = "wifi", interval_s: float = 600.0
) -> float:
    """The charge in mAh of a quiet day with ``reports`` reports, the cell's self-discharge
    included."""
    wakes = 86400.0 / interval_s
    asleep = {"asleep": 86400.0}
    return SELF_DISCHARGE_MAH + (
        mah(asleep, board) + wakes * mah(sense(), board) + reports * mah(connection(uplink), board)
    )


def _is_up(value: object) -> bool:
    """Whether a link's answer, (status, ms to wait), is *up*."""
    return isinstance(value, list) and value[:1] == [_GOT_IP]


@dataclass
class Meter:
    """Counts the seconds of a board's states from the calls that it makes.

    Times are the board's own ticks. Times that the model skips (booting, computing, the network's
    round trips) are added from the table.
    """

    board: BoardClass
    tls: bool = False
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    connections: int = 0
    _on: dict[str, int] = field(default_factory=dict[str, int])
    _last_ms: int = 0

    def record(self, call: dict[str, Any], value: object) -> None:
        """Record a call of the board and its answer, which may switch something on or off."""
        self._last_ms = at_ms = call["ms"]
        match call["op"]:
            case "pin_set" if call["role"] == "sensor_power":
                self._switch("sensor", bool(call["level"]), at_ms)
            case "pin_set" if call["role"] == "modem_key":
                self._switch("lte", True, at_ms)
            case "wifi_active":
                self._switch("join", call["on"], at_ms)
                self._switch("talk", False, at_ms)
            case "wifi_status" if _is_up(value) and "join" in self._on:
                self._switch("join", False, at_ms)
                self._switch("talk", True, at_ms)
                self._connected()
            case "uart_write" if b"CGNSPWR=" in (text := bytes.fromhex(call["data"])):
                self._switch("gnss", b"CGNSPWR=1" in text, at_ms)
            case "ppp_connect":
                self._connected()
            case _:
                pass

    def awake(self, at_ms: int | None = None) -> None:
        """End a wake at ``at_ms``, or at its last call when the power failed."""
        at_ms = self._last_ms if at_ms is None else at_ms
        for state in tuple(self._on):
            self._switch(state, False, at_ms)
        self._add("cpu", at_ms / 1000.0 + BOOT_S + THINK_S)
        self._last_ms = 0

    def asleep(self, slept_s: float) -> None:
        """Add a sleep of ``slept_s``."""
        self._add("asleep", slept_s)

    @property
    def mah(self) -> float:
        """The charge so far."""
        return mah(self.seconds, self.board)

    def _connected(self) -> None:
        self.connections += 1
        talk = NETWORK_S + COMPOSE_S + (TLS_S if self.tls else 0.0)
        self._add("cpu", talk)
        self._add("lte" if "lte" in self._on else "talk", talk)
        self._add("tx", 0.0 if "lte" in self._on else TX_S)

    def _switch(self, state: str, on: bool, at_ms: int) -> None:
        since_ms = self._on.pop(state, None)
        if since_ms is not None:
            self._add(state, (at_ms - since_ms) / 1000.0)
        if on:
            self._on[state] = at_ms

    def _add(self, state: str, seconds: float) -> None:
        self.seconds[state] = self.seconds.get(state, 0.0) + seconds

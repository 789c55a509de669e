"""Causes of resets and wakes, and a board's state."""

import enum


class Reset(enum.IntEnum):
    """``machine.reset_cause()``. A brown-out shows as POWER_ON on the ESP32."""

    POWER_ON = 1
    HARD = 2
    WATCHDOG = 3
    DEEP_SLEEP = 4
    SOFT = 5


class Wake(enum.IntEnum):
    """``machine.wake_reason()``."""

    NONE = 0
    EXT0 = 2
    EXT1 = 3
    TIMER = 4


class State(enum.Enum):
    """What a board is doing."""

    OFF = "off"
    AWAKE = "awake"
    ASLEEP = "asleep"
    STUCK = "stuck"  # at the prompt, draining its battery

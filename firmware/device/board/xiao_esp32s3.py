"""Seeed XIAO ESP32S3: 8 MB of PSRAM, 12 uA asleep. The battery's divider is wired outside.

MicroPython's own image for it has the prompt on USB alone, so the pins labelled TX and RX (GPIO43,
GPIO44) are free. EXT1 takes GPIO0 to GPIO21.
"""

from board import firebeetle

PINS = {
    "sensor_rx": 44,  # D7; from the A02YYUW's TX; a JSN-SR04T's ECHO/TX
    "sensor_tx": 43,  # D6; to its RX: left high selects processed values; a JSN-SR04T's TRIG/RX
    "sensor_power": 9,  # D10; gate of the switched 3.3 V rail, high is on; a probe's 24 V too
    "hx711_data": 7,  # D8
    "hx711_clock": 8,  # D9; held high over 60 us powers the chip down
    "motion": 2,  # D1; LIS3DH INT1, high while it moves; wakes from deep sleep
    "tilt": 3,  # D2; LIS3DH INT2, high while off its rest position
    "lid": 4,  # D3; reed or phototransistor to ground, pull-up outside
    "i2c_sda": 5,  # D4
    "i2c_scl": 6,  # D5
    "battery": 1,  # D0; two resistors of 1 M outside, ADC1 (ADC2 is lost while Wi-Fi is on)
}


class Board(firebeetle.Board):
    """The family's board with other pins and the same divider for the battery, 1 M over 1 M."""

    pins = PINS

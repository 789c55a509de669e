"""The ADS1115 by its registers (TI SBAS444), one conversion at a time, with a 4-20 mA probe."""

from typing import Any

from firmware.virtual.host.sensors import ads1115_counts
from firmware.virtual.host.world import World

_CONVERSION, _CONFIG = 0, 1
_START, _RATES = 0x8000, (8, 16, 32, 64, 128, 250, 475, 860)
_DEFAULT = 0x0583  # +-2.048 V, 128 a second, off


class ADS1115:
    """The chip on its bus. ``at_ms`` (settable) is the device's time of the transfer under way."""

    ADDRESS = 0x48

    def __init__(self, world: World, config: dict[str, Any]) -> None:
        self._world = world
        self._node = config
        self.at_ms = 0
        self._settings = _DEFAULT
        self._ready_ms = 0
        self._counts = 0

    def read(self, register: int, count: int) -> bytes:
        """Two bytes of a register, the higher first."""
        if register == _CONFIG:
            idle = _START if self.at_ms >= self._ready_ms else 0
            value = self._settings & ~_START | idle
        else:
            value = self._counts & 0xFFFF
        return value.to_bytes(2, "big")[:count]

    def write(self, register: int, data: bytes) -> None:
        """The configuration: its highest bit starts a conversion."""
        if register != _CONFIG:
            return
        self._settings = int.from_bytes(data, "big")
        if self._settings & _START:
            period_ms = 1000 // _RATES[self._settings >> 5 & 7]
            self._ready_ms = self.at_ms + period_ms
            self._counts = self._convert()

    def _convert(self) -> int:
        full_pa = self._node.get("full_pa", 9807)
        counts = ads1115_counts(self._world, full_pa, self._node.get("shunt_ohm", 100))
        gain = self._settings >> 9 & 7  # 1: +-4.096 V, 2: +-2.048 V
        return max(-32768, min(counts * (2 if gain == 2 else 1), 32767))

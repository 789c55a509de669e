"""The AXP2101's registers on I2C: identity, rails, battery voltage (datasheet V1.0)."""

from collections.abc import Callable

_CHIP_ID = 0x4A
_DC_ENABLE, _LDO_ENABLE, _LDO2_ENABLE = 0x80, 0x90, 0x91
_RAILS = {
    "dc3": (_DC_ENABLE, 2),
    "dc5": (_DC_ENABLE, 4),
    "bldo1": (_LDO_ENABLE, 4),
    "bldo2": (_LDO_ENABLE, 5),
}


class AXP2101:
    """Keeps its rails through deep sleep and resets; ``changed`` is called when one is switched."""

    ADDRESS = 0x34

    def __init__(self, battery_mv: Callable[[], int], changed: Callable[[], None]) -> None:
        self._battery_mv = battery_mv
        self._changed = changed
        self._held = bytearray(0x100)
        self.silent = False
        """A chip that does not answer, for tests."""
        self.power_on()

    def power_on(self) -> None:
        """A fresh cell: the registers' defaults, the processor's rail on."""
        self._held[:] = bytes(0x100)
        self._held[0x03] = _CHIP_ID
        self._held[_DC_ENABLE] = 0x01

    def rail(self, name: str) -> bool:
        """Whether a rail is on."""
        register, bit = _RAILS[name]
        return bool(self._held[register] >> bit & 1)

    @property
    def on(self) -> list[int]:
        """The enable registers: DC, LDO, LDO2."""
        return [self._held[register] for register in (_DC_ENABLE, _LDO_ENABLE, _LDO2_ENABLE)]

    def read(self, register: int, count: int) -> bytes:
        """``count`` bytes from a register on."""
        if self._held[0x30] & 0x01:
            self._held[0x34:0x36] = self._battery_mv().to_bytes(2, "big")
        return bytes(self._held[register : register + count])

    def write(self, register: int, data: bytes) -> None:
        """Write bytes from a register on; identity stays."""
        self._held[register : register + len(data)] = data
        self._held[0x03] = _CHIP_ID
        self._changed()

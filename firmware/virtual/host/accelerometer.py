"""The LIS3DH by its registers (ST DocID17530): settings, FIFO, interrupts, temperature."""

import math

from firmware.virtual.host.shaking import Vector
from firmware.virtual.host.world import World

_WHO_AM_I, _IDENTITY = 0x0F, 0x33
_TEMPERATURE = 0x0D
_CTRL1, _CTRL5, _STATUS, _OUT_X_L = 0x20, 0x24, 0x27, 0x28
_FIFO_CTRL, _FIFO_SRC = 0x2E, 0x2F
_INT1_SRC, _INT2_CFG, _INT2_SRC, _INT2_THS = 0x31, 0x34, 0x35, 0x36
_ACTIVE, _AUTO_INCREMENT, _FIFO_ON = 0x40, 0x80, 0x40
_FIFO_SIZE, _SAMPLE_MS = 32, 20
_POWERED_DOWN = 0x07  # CTRL1 after power up: no rate
_MG_PER_STEP = 16


def acceleration_mg(world: World, at: float) -> Vector:
    """Gravity turned by mounting, leaning and tilt, plus the shaking, in milli-g."""
    tilt, mount = math.radians(world.tilt_deg), math.radians(world.model.mount_deg)
    x, z = 1000.0 * math.sin(tilt), 1000.0 * math.cos(tilt)
    y, z = z * math.sin(mount), z * math.cos(mount)
    dx, dy, dz = world.shaking_mg(at)
    return x + dx, y + dy, z + dz


class LIS3DH:
    """The chip on its bus. ``at_ms`` (settable) is the device's time of the transfer under way."""

    ADDRESS = 0x18

    def __init__(self, world: World) -> None:
        self._world = world
        self.at_ms = 0
        self.power_on()

    def power_on(self) -> None:
        """Reset every register, as a new supply does."""
        self._held = bytearray(0x80)
        self._held[_WHO_AM_I] = _IDENTITY
        self._held[_CTRL1] = _POWERED_DOWN
        self._held[_STATUS] = 0x0F  # new data on every axis
        self._streaming_from_ms = 0

    def read(self, register: int, count: int) -> bytes:
        """``count`` bytes from a register on; more than one need the auto-increment bit."""
        first = register & 0x7F
        if self._streaming and first == _OUT_X_L and register & _AUTO_INCREMENT:
            return self._from_fifo(count)
        self._sample()
        if not register & _AUTO_INCREMENT:
            return bytes([self._held[first]]) * count
        return bytes(self._held[first : first + count])

    def write(self, register: int, data: bytes) -> None:
        """Write bytes from a register on."""
        first = register & 0x7F
        self._held[first : first + len(data)] = data
        if first == _FIFO_CTRL:
            self._streaming_from_ms = self.at_ms

    @property
    def tilt_pin(self) -> bool:
        """INT2: an axis that INT2_CFG selects is over INT2_THS."""
        events = self._held[_INT2_CFG]
        if not events:
            return self._world.tilt_deg > 20.0
        over_mg = (self._held[_INT2_THS] & 0x7F) * _MG_PER_STEP
        axes = acceleration_mg(self._world, self._world.now)
        return any(
            events & bit and abs(mg) > over_mg
            for bit, mg in zip((0x02, 0x08, 0x20), axes, strict=True)
        )

    @property
    def _streaming(self) -> bool:
        return bool(self._held[_CTRL5] & _FIFO_ON and self._held[_FIFO_CTRL] & 0x80)

    def _from_fifo(self, count: int) -> bytes:
        samples = count // 6
        now = self._world.now
        self._streaming_from_ms += samples * _SAMPLE_MS
        behind = (_SAMPLE_MS * (samples - 1 - at) / 1000.0 for at in range(samples))
        return b"".join(self._bytes(now - seconds) for seconds in behind)

    def _bytes(self, at: float) -> bytes:
        """Six bytes of one sample at +-2 g, left-justified: 1 mg is 16 counts in every mode."""
        counts = (max(-32768, min(round(mg) * 16, 32767)) & 0xFFF0 for mg in self._axes(at))
        return b"".join(count.to_bytes(2, "little") for count in counts)

    def _axes(self, at: float) -> Vector:
        return acceleration_mg(self._world, at)

    def _sample(self) -> None:
        self._held[_OUT_X_L : _OUT_X_L + 6] = self._bytes(self._world.now)
        warmer = round(self._world.air_c) - self._world.model.chip_zero_c
        self._held[_TEMPERATURE] = max(-128, min(warmer, 127)) & 0xFF
        self._held[_INT1_SRC] = _ACTIVE if self._world.moving else 0
        self._held[_INT2_SRC] = _ACTIVE if self.tilt_pin else 0
        if self._streaming:
            held = (self.at_ms - self._streaming_from_ms) // _SAMPLE_MS
            if held > _FIFO_SIZE:
                self._streaming_from_ms = self.at_ms - _FIFO_SIZE * _SAMPLE_MS
            level = min(held, _FIFO_SIZE)
            self._held[_FIFO_SRC] = 0x40 if level == _FIFO_SIZE else level

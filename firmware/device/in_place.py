"""Flash that the interpreter runs in place: MicroPython with ROMFS. By cable only, as slots.py."""

from micropython import const

_ERASE = const(6)


class Rom:
    """Memory-mapped flash, in ``slots`` slots: the first is the cable's, which the interpreter
    mounts by itself at ``/rom``. ``device`` is from ``vfs.rom_ioctl(2, 0)``.
    """

    SECTOR = 4096

    def __init__(self, device, slots):
        self._device = device
        self._memory = memoryview(device)
        self._sectors = len(self._memory) // self.SECTOR // slots

    def view(self, slot):
        """A slot's bytes, in place."""
        size = self._sectors * self.SECTOR
        return self._memory[slot * size : (slot + 1) * size]

    def program(self, slot, at, data):
        """Clear the bits of a slot that are 0 in ``data``, from byte ``at`` on."""
        block, offset = divmod(at, self.SECTOR)
        self._device.writeblocks(slot * self._sectors + block, data, offset)

    def erase(self, slot, sector):
        """Set one sector's bits to 1."""
        self._device.ioctl(_ERASE, slot * self._sectors + sector)

    def mount(self, slot, path):
        """Mount a slot's build at ``path``. Raises OSError when no complete one is there."""
        import vfs

        vfs.mount(vfs.VfsRom(self.view(slot)), path)  # pyright: ignore[reportAttributeAccessIssue] - not in the stubs

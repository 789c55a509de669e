"""NOR flash in memory that can lose its power at any byte."""


class PowerCut(Exception):
    """The power failed in the middle of a write or an erase."""


class Flash:
    """Like ``esp32.Partition``: writes clear bits, only an erase of a sector sets them.

    ``cut`` is after how many more bytes, written or erased, the power fails; None is never.
    """

    SECTOR = 4096

    def __init__(self, sectors):
        self._sectors = sectors
        self._cells = bytearray(b"\xff" * (sectors * self.SECTOR))
        self.cut = None
        self.erases = 0

    def readblocks(self, block, buf, offset=0):
        at = block * self.SECTOR + offset
        buf[:] = self._cells[at : at + len(buf)]

    def writeblocks(self, block, buf, offset):
        at = block * self.SECTOR + offset
        for index, byte in enumerate(buf):
            self._spend(at + index, self._cells[at + index] & (byte | 0x55))
            self._cells[at + index] &= byte

    def _spend(self, at, torn):
        if self.cut is None:
            return
        if self.cut == 0:
            self._cells[at] = torn  # half of this byte's bits were done
            raise PowerCut
        self.cut -= 1

    def ioctl(self, op, arg):
        if op == 4:
            return self._sectors
        if op == 6:
            self.erases += 1
            start = arg * self.SECTOR
            for at in range(start, start + self.SECTOR):
                if self.cut is not None:
                    self._spend(at, 0xFF)
                self._cells[at] = 0xFF
            return 0
        raise ValueError(op)

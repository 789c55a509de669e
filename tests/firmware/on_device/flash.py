"""NOR flash in memory that can lose its power at any byte, and tear what was under way."""

import random


class PowerCut(BaseException):
    """The power failed: between two operations, or in the middle of a write or an erase.

    No code of the node catches it, as on the chip.
    """


class Powered:
    """What the power fails at: after ``cut`` more bytes, None for never."""

    cut = None

    def _lasts(self, count):
        """How many of ``count`` bytes are done before the power fails."""
        if self.cut is None:
            return count
        done = min(self.cut, count)
        self.cut -= done
        return done


class Flash(Powered):
    """Like ``esp32.Partition``: writes clear bits, only an erase of a sector sets them.

    ``cut`` is after how many more bytes, written or erased, the power fails; None is never. A torn
    write leaves the byte under way with half of its bits done, or with ``wild`` any of the bits
    that were still to come on its page (a page is programmed at once); a torn erase leaves the
    rest of the sector as it was, or with ``wild`` any byte of it half erased.
    """

    SECTOR, PAGE = 4096, 256

    def __init__(self, sectors, wild=False):
        self._cells = [bytearray(b"\xff" * self.SECTOR) for _ in range(sectors)]
        self.wild = wild
        self.erases = 0
        self.written = 0

    def image(self):
        """All sectors, as bytes each."""
        return [bytes(cells) for cells in self._cells]

    def restore(self, image):
        """Put back what ``image`` returned."""
        for cells, held in zip(self._cells, image):  # noqa: B905 - MicroPython has no strict
            cells[:] = held

    def blank(self):
        """Erase all of it, as a maker does."""
        self.restore([b"\xff" * self.SECTOR] * len(self._cells))

    def readblocks(self, block, buf, offset=0):
        buf[:] = self._cells[block][offset : offset + len(buf)]

    def writeblocks(self, block, buf, offset):
        cells, whole = self._cells[block], self._lasts(len(buf))
        for index in range(whole):
            cells[offset + index] &= buf[index]
        self.written += whole
        if whole < len(buf):
            self._tear(cells, offset + whole, buf[whole:])
            raise PowerCut

    def ioctl(self, op, arg):
        if op == 4:
            return len(self._cells)
        if op == 6:
            self._erase(self._cells[arg])
            return 0
        raise ValueError(op)

    def _erase(self, cells):
        self.erases += 1
        whole = self._lasts(self.SECTOR)
        cells[:whole] = b"\xff" * whole
        if whole < self.SECTOR:
            if self.wild:
                for at in range(self.SECTOR):
                    cells[at] |= random.getrandbits(8) & random.getrandbits(8)
            raise PowerCut

    def _tear(self, cells, at, rest):
        if not self.wild:
            cells[at] &= rest[0] | 0x55
            return
        for index in range(min(self.PAGE - at % self.PAGE, len(rest))):
            cells[at + index] &= rest[index] | random.getrandbits(8)

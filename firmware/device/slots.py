"""Which build runs: the one that came by cable, or an update in slot ``a`` or ``b``.

A build lies in ROM, flash that the interpreter runs in place (MicroPython with ROMFS), or, where
the interpreter has none, among the files. ``main.py``, ``guard.py`` and this file come by cable
only and outlive every update, so what is kept in NVS is fixed: the blob ``slots``, replaced whole
in one commit, and the number ``faults``. Losing NVS brings back the build that came by cable.
"""

import struct

from micropython import const

FOLDERS = ("", "a", "b")
CRASHES = 3
"""Starts of a build on trial that did not end by themselves, before it is given up."""
_UNHEARD = const(24)
"""Attempts to be heard, each without a live ack, before it is given up: days of back-off."""
_BROKEN = const(4)
"""Faults in a row after which an update that was once good gives way to the cable's build."""

_FREE_STARTS = const(8)
"""Starts in a row without a clean end before the radio waits: its current may be what fails."""
_HOPELESS = const(16)
"""Such starts, none of which kept even a reading, after which the next does nothing but sleep."""
_LADDER_S = const(600)
_LONGEST_S = const(6 * 3600)

_ERASE = const(6)
_BLOB = const("slots")
_FAULTS = const("faults")
_BACK = const("back")
_FORMAT = const("<BBBBIIII")


class Rom:
    """Flash that is memory as well, in as many slots as FOLDERS: the first is the cable's, which
    the interpreter mounts by itself at ``/rom``. ``device``: what ``vfs.rom_ioctl(2, 0)`` gives.
    """

    SECTOR = 4096

    def __init__(self, device):
        self._device = device
        self._memory = memoryview(device)
        self._sectors = len(self._memory) // self.SECTOR // len(FOLDERS)

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

    def mount(self, slot):
        """Where a slot's build is read from now on. Raises OSError when none is whole there."""
        import vfs

        path = "/" + FOLDERS[slot]
        vfs.mount(vfs.VfsRom(self.view(slot)), path)  # pyright: ignore[reportAttributeAccessIssue] - not in the stubs
        return path


def _rom():
    """The :class:`Rom` of this board; None where interpreter or flash has none."""
    try:
        import vfs

        return Rom(vfs.rom_ioctl(2, 0))
    except (ImportError, AttributeError, TypeError, OSError):
        return None


class Slots:
    """The choice of the build, and how often it failed, over ``nvs`` (an ``esp32.NVS``)."""

    def __init__(self, nvs):
        self.nvs = nvs
        self.rom = _rom()
        self.faults = self._number(_FAULTS)
        """Starts and wakes in a row that did not end cleanly, this one included."""
        held = bytearray(struct.calcsize(_FORMAT))
        try:
            nvs.get_blob(_BLOB, held)
        except (OSError, ValueError):
            pass  # the first start, or NVS was lost
        fields = struct.unpack(_FORMAT, held)
        self.active, self.trial, self._crashes, self._unheard = fields[:4]
        self.floor, self.version, self._order, self.refused = fields[4:]
        if self.active >= len(FOLDERS) or self.trial >= len(FOLDERS):
            self.active = self.trial = 0
        self.running = 0
        """The slot that this start runs, its index in FOLDERS: ``choose`` settles it."""
        self.folder = ""
        """Where that build is read from."""

    @property
    def on_trial(self):
        """Whether the build that runs has yet to be heard."""
        return self.trial != 0 and self.running == self.trial

    @property
    def first(self):
        """Whether this is the first start of a build on trial."""
        return self.on_trial and self._crashes == 1

    @property
    def hopeless(self):
        """Whether this start shall do nothing but sleep."""
        return self.faults > _HOPELESS

    @property
    def radio_wait_s(self):
        """Seconds for which the radio stays off: starts in a row died, of its current perhaps."""
        return ladder_s(self.faults - _FREE_STARTS) if self.faults > _FREE_STARTS else 0

    def kept(self):
        """A reading is on flash: whatever kills the starts, they are not for nothing."""
        if self.faults > _HOPELESS - 1:
            self.faults = _HOPELESS - 1
            self._keep_faults()

    def choose(self, cold):
        """Count this start (``cold``: any but a wake from deep sleep); the folder to run from."""
        if cold:
            self._fault()
        if self.trial:
            self._crashes += 1
            if self._crashes > CRASHES:
                self.give_up()
            self._save()
        if self.faults > _BROKEN and self.active and not self.trial:
            self.active = 0
            self._save()
        self.running = self.trial or self.active
        self.folder = self._found()
        return self.folder

    def _found(self):
        if self.rom and self.running:
            try:
                return self.rom.mount(self.running)
            except OSError as error:
                print("slot %d:" % self.running, error)  # the files, and beside them the cable's
        return FOLDERS[self.running]

    def ended(self, held_back=False):
        """This wake ends by itself. ``held_back``: the radio still waits, so nothing is proven."""
        if self.faults and not held_back:
            self.faults = 0
            self._keep_faults()
        if self.on_trial and self._crashes:
            self._crashes = 0
            self._save()

    def failed(self, cold):
        """An exception ended it. Returns how many seconds to sleep."""
        if not cold:  # a cold start was counted already
            self._fault()
        return ladder_s(self.faults)

    def try_out(self, slot, version, order):
        """The next start runs ``slot``: all of its files are there and the release is signed.

        ``order``: the number of the order that brought it, above any that came to nothing.
        """
        self.trial, self.version, self._order = slot, version, order
        self._crashes = self._unheard = 0
        self._save()

    def commit(self, floor):
        """The build on trial was heard: it stays, and no release below ``floor`` comes after."""
        self.active, self.trial = self.trial, 0
        self.floor = max(self.floor, floor)
        self._save()

    def unheard(self):
        """An attempt to be heard ended without a live ack. Whether that gave the trial up."""
        self._unheard = min(self._unheard + 1, 255)
        gave_up = self._unheard >= _UNHEARD
        if gave_up:
            self.give_up()
        self._save()
        return gave_up

    def give_up(self):
        """Back to the build before; the order that brought this one has come to nothing."""
        self.trial, self.version, self.refused = 0, 0, self._order
        self._crashes = self._unheard = 0
        self.nvs.set_i32(_BACK, 1)

    @property
    def back(self):
        """Whether an update was given up, and nobody was told."""
        return self._number(_BACK) == 1

    def back_told(self):
        """It is on flash as an event."""
        self.nvs.erase_key(_BACK)
        self._commit()

    def refuse(self, order):
        """Remember an order that cannot be done, so that not every wake tries it."""
        if self.refused < order:
            self.refused = order
            self._save()

    def _fault(self):
        self.faults = min(self.faults + 1, 1000)
        self._keep_faults()

    def _keep_faults(self):
        self.nvs.set_i32(_FAULTS, self.faults)
        self._commit()

    def _save(self):
        self.nvs.set_blob(
            _BLOB,
            struct.pack(
                _FORMAT,
                self.active,
                self.trial,
                self._crashes,
                self._unheard,
                self.floor,
                self.version,
                self._order,
                self.refused,
            ),
        )
        self._commit()

    def _commit(self):
        try:
            self.nvs.commit()
        except OSError as error:
            print("NVS:", error)  # worn or full: go on with what is in memory

    def _number(self, name):
        try:
            return self.nvs.get_i32(name)
        except OSError:
            return 0


def ladder_s(faults):
    """10 minutes, doubling with each fault in a row, to 6 hours."""
    return min(_LONGEST_S, _LADDER_S * 2 ** min(max(faults - 1, 0), 10))

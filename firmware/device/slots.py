"""Chooses the build to run: the one that came by cable, or an update in slot ``a`` or ``b``.

A build is in ROM, flash that the interpreter runs in place (MicroPython with ROMFS), or, without
ROMFS, among the files. ``main.py``, ``guard.py`` and this file come by cable only: builds of every
later version use the names in this file and the values in NVS, so neither ever changes. NVS has the
blob ``slots``, replaced in one commit, and the number ``faults``. If NVS is lost, the build that
came by cable runs.
"""

import struct

from micropython import const

FOLDERS = ("", "a", "b")
CRASHES = 3
"""Starts of a build on trial without a clean end, before it is given up."""
_UNANSWERED = const(24)
"""Attempts to report without a live ack, before it is given up: days of back-off."""
_BROKEN = const(4)
"""Faults in a row after which the cable's build replaces an update that was once good."""

_FREE_STARTS = const(8)
"""Starts in a row without a clean end before the radio waits: its current may be the cause."""
_HOPELESS = const(16)
"""Such starts without a stored reading, after which the next only sleeps."""
_LADDER_S = const(600)
_LONGEST_S = const(6 * 3600)

_BLOB = const("slots")
_FAULTS = const("faults")
_BACK = const("back")
_FORMAT = const("<BBBBIIII")
_NOT_FOUND = const(-0x1102)  # ESP_ERR_NVS_NOT_FOUND


def _rom():
    """The :class:`in_place.Rom` of this board; None when interpreter or flash has none."""
    try:
        import vfs

        device = vfs.rom_ioctl(2, 0)
        if isinstance(device, int):
            return None  # a negative error number
        from in_place import Rom  # only where it is used: it takes heap on a board that runs files

        return Rom(device, len(FOLDERS))
    except Exception:  # noqa: BLE001 - none here, or it cannot be read: the files run
        return None


class Slots:
    """The chosen build and its count of failures, in ``nvs`` (an ``esp32.NVS``)."""

    def __init__(self, nvs):
        self.nvs = nvs
        self.rom = _rom()
        self.faults = self._number(_FAULTS)
        """Starts and wakes in a row that did not end cleanly, this one included."""
        blob = bytearray(struct.calcsize(_FORMAT))
        self._readable = self._read(blob)
        fields = struct.unpack(_FORMAT, blob)
        self.active, self.trial, self._crashes, self._unanswered = fields[:4]
        self.floor, self.version, self._order, self.refused = fields[4:]
        if self.active >= len(FOLDERS) or self.trial >= len(FOLDERS):
            self.active = self.trial = 0
        self.running = 0
        """The slot that this start runs, its index in FOLDERS: ``choose`` sets it."""
        self.folder = ""
        """The path of that build."""

    def _read(self, buffer):
        """Fill ``buffer``. Returns False when NVS has it but did not yield it: no write then."""
        for _ in range(2):
            try:
                self.nvs.get_blob(_BLOB, buffer)
                return True
            except Exception as error:  # noqa: BLE001 - of any class: the cable's build runs
                if isinstance(error, OSError) and error.errno == _NOT_FOUND:
                    return True  # the first start, or NVS was lost
                print("NVS:", repr(error))
        return False

    @property
    def on_trial(self):
        """Whether the running build has no acknowledged message yet."""
        return self.trial != 0 and self.running == self.trial

    @property
    def first(self):
        """Whether this is the first start of a build on trial."""
        return self.on_trial and self._crashes == 1

    @property
    def hopeless(self):
        """Whether this start only sleeps."""
        return self.faults > _HOPELESS

    @property
    def radio_wait_s(self):
        """Seconds for which the radio stays off: its current may cause failed starts."""
        return ladder_s(self.faults - _FREE_STARTS) if self.faults > _FREE_STARTS else 0

    def kept(self):
        """A reading was stored: further starts are worth their charge."""
        if self.faults > _HOPELESS - 1:
            self.faults = _HOPELESS - 1
            self._keep_faults()

    def choose(self, cold):
        """Count this start (``cold``: not from deep sleep). Returns the folder to run."""
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
                path = "/" + FOLDERS[self.running]
                self.rom.mount(self.running, path)
                return path
            except Exception as error:  # noqa: BLE001 - run from the files, else the cable's
                print("slot %d:" % self.running, repr(error))
        return FOLDERS[self.running]

    def ended(self, held_back=False):
        """This wake ends cleanly. ``held_back``: the radio still waits, so the faults remain."""
        if self.faults and not held_back:
            self.faults = 0
            self._keep_faults()
        if self.on_trial and self._crashes:
            self._crashes = 0
            self._save()

    def failed(self, cold):
        """An exception ended the wake. Returns how many seconds to sleep."""
        if not cold:  # a cold start was counted already
            self._fault()
        return ladder_s(self.faults)

    def try_out(self, slot, version, order):
        """The next start runs ``slot``, in which a complete and signed release is.

        ``order``: the number of its order, above those of failed ones.
        """
        self.trial, self.version, self._order = slot, version, order
        self._crashes = self._unanswered = 0
        self._save()

    def commit(self, floor):
        """Keep the build on trial, and take no release below ``floor`` from now on."""
        self.active, self.trial = self.trial, 0
        self.floor = max(self.floor, floor)
        self._save()

    def unanswered(self):
        """Count an attempt to report without a live ack. Returns whether that ended the trial."""
        self._unanswered = min(self._unanswered + 1, 255)
        gave_up = self._unanswered >= _UNANSWERED
        if gave_up:
            self.give_up()
        self._save()
        return gave_up

    def give_up(self):
        """Return to the build before; the order of this one has failed."""
        self.trial, self.version, self.refused = 0, 0, self._order
        self._crashes = self._unanswered = 0
        self._set(self.nvs.set_i32, _BACK, 1)

    @property
    def back(self):
        """Whether an update was given up and that is not reported yet."""
        return self._number(_BACK) == 1

    def clear_back(self):
        """The event that reports it is on flash."""
        self._set(self.nvs.erase_key, _BACK)

    def refuse(self, order):
        """Remember an order that failed, so that not every wake tries it again."""
        if self.refused < order:
            self.refused = order
            self._save()

    def _fault(self):
        self.faults = min(self.faults + 1, 1000)
        self._keep_faults()

    def _keep_faults(self):
        self._set(self.nvs.set_i32, _FAULTS, self.faults)

    def _save(self):
        if not self._readable:
            return  # what it holds is better than what is assumed here
        self._set(
            self.nvs.set_blob,
            _BLOB,
            struct.pack(
                _FORMAT,
                self.active,
                self.trial,
                self._crashes,
                self._unanswered,
                self.floor,
                self.version,
                self._order,
                self.refused,
            ),
        )

    def _set(self, change, *arguments):
        """Change NVS. Worn, full or failing, it does not end a wake: the values in memory serve."""
        try:
            change(*arguments)
            self.nvs.commit()
        except Exception as error:  # noqa: BLE001 - of any class
            print("NVS:", repr(error))

    def _number(self, name):
        try:
            return self.nvs.get_i32(name)
        except Exception:  # noqa: BLE001 - none, or it cannot be read
            return 0


def ladder_s(faults):
    """10 minutes, doubling with each fault in a row, to 6 hours."""
    return min(_LONGEST_S, _LADDER_S * 2 ** min(max(faults - 1, 0), 10))

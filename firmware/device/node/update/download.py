"""Downloads a release, over several wakes if need be, until it can be tried."""

import binascii
import gc
import time

from lib import ED25519, unload
from micropython import const
from node.storage import envelope
from node.update import manifest
from node.update.manifest import ReleaseError
from slots import FOLDERS

_PART = const(2048)
_REFUSED = const("refused")  # status.py reads it
_PART_MS = const(8000)
_BUDGET_MS = const(300_000)  # of radio in one wake; each part feeds the watchdog
_LARGEST = const(1 << 20)
_WELL_MV = const(3500)  # below it the cell may fail while a slot is written


class Download:
    """Writes the release that a ``down`` asks for into the slot that does not run.

    It runs after the wake, on the connection still open, when the node's modules are unloaded.
    """

    def __init__(self, config, slots, feed):
        self._config = config
        self._slots = slots
        self._feed = feed
        self._start = time.ticks_ms()

    def run(self, client, key, wanted, mv, floor):
        """Continue to download ``wanted``, the ``update`` of a ``down``. Returns whether to reset.

        A refusal is noted in NVS for the next wake to report. ``floor``: the lowest version taken.
        """
        try:
            return self._download(client, key, wanted, mv, floor)
        except ReleaseError as error:
            self._refuse(wanted, error.args[0])
        except MemoryError:
            self._refuse(wanted, "update_memory")
        except OSError as error:
            print("no connection:", error)  # the next wake continues
        finally:
            client.disconnect()
        return False

    def _download(self, client, key, wanted, mv, floor):
        order, version, size, start, sig = _checked(wanted)
        if not self._wants(order, version, floor):
            return False
        if mv and mv < _WELL_MV:
            return False  # a later wake continues, once the cell is charged
        stage = self._stage(version, size, start, sig)
        if not self._fetch(stage, version, size, client, key):
            return False
        stage.finish()
        self._slots.try_out(self._slot, version, order)
        return True

    @property
    def _slot(self):
        return 2 if self._slots.running == 1 else 1

    def _wants(self, order, version, floor):
        slots = self._slots
        if slots.trial or order <= slots.refused:
            return False
        if slots.active and version == slots.version:
            return False
        if not self._config.release_key:
            raise ReleaseError("update_key")
        # The cable's floor: without it a new board would take any release that was ever signed.
        if version < max(slots.floor, floor, self._config.release_floor):
            raise ReleaseError("update_old")
        return True

    def _stage(self, version, size, start, sig):
        def verify(lines):
            if not self._signed(sig, lines()):
                raise ReleaseError("update_sig")
            found = manifest.Manifest(lines())
            if found.version != version:
                raise ReleaseError("update_version")
            if found.board not in ("any", self._config.board):
                raise ReleaseError("update_board")
            return found

        if self._slots.rom:
            from node.update.rom_stage import RomStage

            return RomStage(self._slots.rom, self._slot, sig, size, start, verify)
        from node.update.file_stage import FileStage

        return FileStage(FOLDERS[self._slot], sig, start, verify)

    def _signed(self, sig, lines):
        from lib import verification

        try:
            raw = binascii.a2b_base64(sig.replace("-", "+").replace("_", "/") + "==")
            # Line by line: the heap may have no room for the whole manifest.
            verification.verify_over(self._config.release_key, raw, lines)
            return True
        except ValueError:
            return False
        finally:
            unload(*ED25519)

    def _fetch(self, stage, version, size, client, key):
        """Download the parts that are missing. Returns whether the release is complete."""
        while not stage.complete:
            if stage.position >= size:
                raise ReleaseError("update_size")
            if time.ticks_diff(time.ticks_ms(), self._start) > _BUDGET_MS:
                return False
            number, skip = divmod(stage.position, _PART)
            topic = self._config.topic("part/%d/%d" % (version, number))
            data = _receive_part(client, topic, key)
            if not data or len(data) <= skip:
                return False  # not published yet, or not authentic: the next wake asks again
            try:
                stage.write(data[skip:])
            except OSError:
                stage.wipe()
                raise ReleaseError("update_space") from None
            data = None
            gc.collect()  # verifying needs the heap that the part took
            stage.settle()
            self._feed()
        return True

    def _refuse(self, wanted, code):
        order = wanted.get("n") if isinstance(wanted, dict) else None
        if not isinstance(order, int) or not 0 < order < 1 << 32:
            return  # without a number; it was answered on arrival
        if order > self._slots.refused:
            self._slots.nvs.set_blob(_REFUSED, code.encode())
            self._slots.refuse(order)


def _receive_part(client, topic, key):
    """One authentic part, or None when it does not arrive in time."""
    client.subscribe([topic])
    start = time.ticks_ms()
    while True:
        left = _PART_MS - time.ticks_diff(time.ticks_ms(), start)
        event = client.receive(left) if left > 0 else None
        if event is None:
            return None
        if event[0] == "message" and event[1] == topic:
            return envelope.verified_part(key, topic, event[2])


def _checked(given):
    """(n, version, size of the stream, size of its manifest, SIG) of a ``down``'s ``update``.

    Raises ReleaseError for anything else.
    """
    try:
        numbers = given["n"], given["version"], given["size"], given["manifest"]
        sig = given["sig"]
    except (KeyError, TypeError):
        raise ReleaseError("update") from None
    sound = all(isinstance(number, int) and 0 < number < 1 << 32 for number in numbers)
    if not sound or not isinstance(sig, str) or len(sig) != 86:
        raise ReleaseError("update")
    if numbers[2] > _LARGEST or not 0 < numbers[3] <= min(numbers[2], manifest.LIMIT):
        raise ReleaseError("update_size")
    return numbers + (sig,)

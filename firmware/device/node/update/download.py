"""How a release comes in, wake by wake, until it can be tried."""

import binascii
import gc
import time

from lib import unload
from micropython import const
from node.exchange.signing_key import ED25519
from node.storage import envelope
from node.update import manifest
from node.update.manifest import ReleaseError
from slots import FOLDERS

_PART = const(2048)
_REFUSED = const("refused")  # care.py's
_PART_MS = const(8000)
_BUDGET_MS = const(300_000)  # of radio in one wake; each part begins the watchdog's time anew
_LARGEST = const(1 << 20)
_WELL_MV = const(3500)  # a slot is not rewritten on a cell that may give out


class Update:
    """The release that a ``down`` wants, and the slot that does not run.

    It has the heap to itself: it begins when the wake is over, on the connection still open.
    """

    def __init__(self, config, slots, feed):
        self._config = config
        self._slots = slots
        self._feed = feed
        self._start = time.ticks_ms()

    def go_on(self, client, key, wanted, mv, floor):
        """Go on fetching ``wanted``, the ``update`` of a ``down``. Returns whether to reset.

        A refusal is noted in NVS, for the next wake to tell. ``floor``: no release below it.
        """
        try:
            return self._brought(client, key, wanted, mv, floor)
        except ReleaseError as error:
            self._refuse(wanted, error.args[0])
        except MemoryError:
            self._refuse(wanted, "update_memory")
        except OSError as error:
            print("no connection:", error)  # the next wake goes on
        finally:
            client.disconnect()
        return False

    def _brought(self, client, key, wanted, mv, floor):
        order, version, size, start, sig = _wanted(wanted)
        if not self._wants(order, version, floor):
            return False
        if mv and mv < _WELL_MV:
            return False  # when the cell is well again
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
        if version < max(slots.floor, floor):
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
        from node.update.file_stage import Stage

        return Stage(FOLDERS[self._slot], sig, start, verify)

    def _signed(self, sig, lines):
        from lib import ed25519

        try:
            raw = binascii.a2b_base64(sig.replace("-", "+").replace("_", "/") + "==")
            # Line by line: there may be no room for all of it.
            ed25519.verify_over(self._config.release_key, raw, lines)
            return True
        except ValueError:
            return False
        finally:
            unload(*ED25519)

    def _fetch(self, stage, version, size, client, key):
        """Whether all of it is here."""
        while not stage.complete:
            if stage.position >= size:
                raise ReleaseError("update_size")
            if time.ticks_diff(time.ticks_ms(), self._start) > _BUDGET_MS:
                return False
            number, skip = divmod(stage.position, _PART)
            topic = self._config.topic("part/%d/%d" % (version, number))
            data = _fetched(client, topic, key)
            if not data or len(data) <= skip:
                return False  # not there yet, or not ours: the next wake asks again
            try:
                stage.write(data[skip:])
            except OSError:
                stage.wipe()
                raise ReleaseError("update_space") from None
            data = None
            gc.collect()  # the part has left its room to what verifies
            stage.settle()
            self._feed()
        return True

    def _refuse(self, wanted, code):
        order = wanted.get("n") if isinstance(wanted, dict) else None
        if not isinstance(order, int) or not 0 < order < 1 << 32:
            return  # there is not even a number: it was answered when it came
        if order > self._slots.refused:
            self._slots.nvs.set_blob(_REFUSED, code.encode())
            self._slots.refuse(order)


def _fetched(client, topic, key):
    """One part, authentic, once it is here within the time; else None."""
    client.subscribe([topic])
    start = time.ticks_ms()
    while True:
        left = _PART_MS - time.ticks_diff(time.ticks_ms(), start)
        event = client.receive(left) if left > 0 else None
        if event is None:
            return None
        if event[0] == "message" and event[1] == topic:
            return envelope.opened_part(key, topic, event[2])


def _wanted(given):
    """(n, version, size of the stream, of its manifest, SIG) of a ``down``'s ``update``."""
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

"""Remote care: what a wake says of its start, and how a release comes in, proves itself or goes."""

import binascii

from slots import FOLDERS

from node import envelope, manifest, orders
from node.manifest import Manifest, ReleaseError

PART = 2048
_PART_MS = 8000
_BUDGET_MS = 300_000  # of radio in one wake; each part begins the watchdog's time anew
_LARGEST = 1 << 20
_WELL_MV = 3500  # a slot is not rewritten on a cell that may give out
_FAULT = "fault"  # main.py's


class Care:
    """Looks after the build that runs and the one to come (``slots``, ``feed``: node/start.py)."""

    def __init__(self, config, slots, queue, feed):
        self._config = config
        self._slots = slots
        self._queue = queue
        self._state = queue.state
        self.nvs = slots.nvs
        self.feed = feed

    def boot_fields(self, cause):
        """The members of the event ``boot``."""
        slots = self._slots
        fields = '"k":"boot","c":"%s"' % ("update" if slots.first else cause)
        found = manifest.fingerprint(FOLDERS[slots.running])
        return fields + (',"fh":"%s"' % found if found else "")

    def tell(self, up, plan):
        """Keep as events what ended an earlier wake, or sent an update back."""
        nvs = self._slots.nvs
        if self._slots.back:
            self.answer(up, plan, False, "update_back")
            self._slots.back_told()
        held = bytearray(32)
        try:
            size = nvs.get_blob(_FAULT, held)
        except (OSError, ValueError):
            return
        name = "".join(chr(byte) for byte in held[:size] if 48 <= byte <= 122 and byte != 92)
        self._queue.add_event(up, '"k":"fault","s":"main","c":"%s"' % name)
        nvs.erase_key(_FAULT)
        nvs.commit()

    # A build on trial

    def heard(self, covered, up, plan):
        """After an attempt to be heard. ``covered``: a live ack covers a message of this build."""
        slots = self._slots
        if not slots.on_trial:
            return
        if covered:
            text = _read_manifest(FOLDERS[slots.trial])
            slots.commit(Manifest(text).floor)
            self._state.fw_floor = max(self._state.fw_floor, slots.floor)
            self.answer(up, plan, True)
        else:
            slots.unheard()

    def answer(self, up, plan, ok, code=""):
        """Answer the ``down`` in force once more: what became of its update."""
        fields = orders.conf(self._state.down_n, self._state, plan, ok, code)
        self._queue.add_event(up, fields)
        self._state.pending = 1

    # A release to come

    def update(self, talk, wanted, key, mv):
        """Go on fetching the release that ``down`` wants. Returns (code, whether to reset).

        The code is empty when there is nothing to say. ``talk``: the conversation under way.
        """
        try:
            order, version, size, start, sig = _wanted(wanted)
            if not self._wants(order, version):
                return "", False
            if mv and mv < _WELL_MV:
                return "", False  # when the cell is well again
            stage = self._stage(version, start, sig)
            if not self._fetch(stage, version, size, talk, key):
                return "", False
            stage.check()
        except ReleaseError as error:
            return self._refuse(wanted, error.args[0]), False
        except MemoryError:
            return self._refuse(wanted, "update_memory"), False
        self._slots.try_out(self._slot, version, order)
        return "", True

    def awaits(self, given):
        """Whether a ``down`` wants a release that does not run yet."""
        wanted = given.get("update")
        if not isinstance(wanted, dict) or wanted.get("n", 0) <= self._slots.refused:
            return bool(wanted) and not isinstance(wanted, dict)
        return not self._runs(wanted.get("version"))

    def _runs(self, version):
        return self._slots.active != 0 and version == self._slots.version

    @property
    def _slot(self):
        return 2 if self._slots.running == 1 else 1

    def _wants(self, order, version):
        slots = self._slots
        if slots.trial or order <= slots.refused:
            return False
        if self._runs(version):
            return False
        if not self._config.release_key:
            raise ReleaseError("update_key")
        if version < max(slots.floor, self._state.fw_floor):
            raise ReleaseError("update_old")
        return True

    def _stage(self, version, start, sig):
        from node.stage import Stage

        def verify(text):
            from node import ed25519

            if not self._signed(ed25519, sig, text):
                raise ReleaseError("update_sig")
            found = Manifest(text)
            if found.version != version:
                raise ReleaseError("update_version")
            if found.board not in ("any", self._config.board):
                raise ReleaseError("update_board")

        return Stage(FOLDERS[self._slot], sig, start, verify)

    def _signed(self, ed25519, sig, text):
        try:
            raw = binascii.a2b_base64(sig.replace("-", "+").replace("_", "/") + "==")
            ed25519.verify(self._config.release_key, raw, text.encode())
            return True
        except ValueError:
            return False

    def _fetch(self, stage, version, size, talk, key):
        """Whether all of it is here."""
        while not stage.complete:
            if stage.position >= size:
                raise ReleaseError("update_size")
            if talk.elapsed() > _BUDGET_MS:
                return False
            number, skip = divmod(stage.position, PART)
            topic = self._config.topic("part/%d/%d" % (version, number))
            payload = talk.fetch(topic, _PART_MS)
            data = payload and envelope.opened_part(key, topic, payload)
            if not data or len(data) <= skip:
                return False  # not there yet, or not ours: the next wake asks again
            try:
                stage.write(data[skip:])
            except OSError:
                stage.wipe()
                raise ReleaseError("update_space") from None
            self.feed()
        return True

    def _refuse(self, wanted, code):
        try:
            self._slots.refuse(_wanted(wanted)[0])
        except ReleaseError:
            pass  # there is not even a number to remember
        return code


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


def _read_manifest(folder):
    with open(folder + "/" + manifest.NAME) as file:
        return file.read()

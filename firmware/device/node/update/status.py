"""Remote care: what a wake says of its start, and how a release proves itself or goes back."""

from lib import unload
from micropython import const

_FAULT = const("fault")  # guard.py's
_REFUSED = const("refused")  # update.py's: why a release was refused, until a wake has told it


class Care:
    """Looks after the build that runs and the one to come (``slots``, ``feed``: node/start.py)."""

    def __init__(self, slots, queue, feed):
        self._slots = slots
        self._queue = queue
        self._state = queue.state
        self.nvs = slots.nvs
        self.feed = feed

    def boot_fields(self, cause):
        """The members of the event ``boot``."""
        slots = self._slots
        fields = '"k":"boot","c":"%s"' % ("update" if slots.first else cause)
        from node.update import manifest  # seldom needed, and not small

        found = manifest.fingerprint(slots.folder)
        del manifest
        unload("node.update.manifest")
        return fields + (',"fh":"%s"' % found if found else "")

    def tell(self, up, plan):
        """Keep as events what ended an earlier wake, or an update."""
        if self._slots.back:
            self.answer(up, plan, False, "update_back")
            self._slots.back_told()
        code = self._noted(_REFUSED)
        if code:
            self.answer(up, plan, False, code)
            self._told(_REFUSED)
        name = self._noted(_FAULT)
        if name:
            self._queue.add_event(up, '"k":"fault","s":"main","c":"%s"' % name)
            self._told(_FAULT)

    def _noted(self, key):
        """The text of a blob in NVS; empty when there is none."""
        held = bytearray(32)
        try:
            size = self.nvs.get_blob(key, held)
        except (OSError, ValueError):
            return ""
        return "".join(chr(byte) for byte in held[:size] if 48 <= byte <= 122 and byte != 92)

    def _told(self, key):
        self.nvs.erase_key(key)
        self.nvs.commit()

    # A build on trial

    def heard(self, covered, up, plan):
        """After an attempt to be heard. ``covered``: a live ack covers a message of this build."""
        slots = self._slots
        if not slots.on_trial:
            return
        if covered:
            from node.update import manifest

            slots.commit(manifest.load(slots.folder).floor)
            self._state.fw_floor = max(self._state.fw_floor, slots.floor)
            self.answer(up, plan, True)
        else:
            slots.unheard()

    def answer(self, up, plan, ok, code=""):
        """Answer the ``down`` in force once more: what became of its update."""
        from node.exchange import orders

        fields = orders.conf(self._state.down_n, self._state, plan, ok, code)
        self._queue.add_event(up, fields)
        self._state.pending = 1

    # A release to come

    def awaits(self, given):
        """Whether a ``down`` wants a release that does not run yet."""
        wanted = given.get("update")
        order = wanted.get("n") if isinstance(wanted, dict) else None
        if not isinstance(order, int):
            return bool(wanted)  # answered by its code, and never fetched
        return order > self._slots.refused and not self.runs(wanted.get("version"))

    def runs(self, version):
        """Whether that release is the one in force."""
        return self._slots.active != 0 and version == self._slots.version

"""Reports how the node started, and whether a release was kept, refused or given up."""

from lib import unload
from micropython import const
from node.storage import mishaps

_FLASH = const(2)  # of mishaps.py

_FAULT = const("fault")  # guard.py's
_REFUSED = const("refused")  # by download.py: why a release was refused, until it is reported


class UpdateStatus:
    """The state of the running build and of an ordered one (``slots``, ``feed``: node/start.py)."""

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
        try:
            from node.update import manifest  # large, and needed at a boot only

            found = manifest.fingerprint(slots.folder)
            del manifest
            unload("node.update.manifest")
        except Exception as error:  # noqa: BLE001 - a boot counts without it, too
            mishaps.add(self._state, _FLASH, error)
            found = ""
        return fields + (',"fh":"%s"' % found if found else "")

    def report(self, up, plan):
        """Add events about a fault that ended an earlier wake, and about a failed update."""
        if self._slots.back:
            self.add_conf(up, plan, False, "update_back")
            self._slots.clear_back()
        code = self._read(_REFUSED)
        if code:
            self.add_conf(up, plan, False, code)
            self._clear(_REFUSED)
        name = self._read(_FAULT)
        if name:
            self._queue.add_event(up, '"k":"fault","s":"main","c":"%s"' % name)
            self._clear(_FAULT)

    def _read(self, key):
        """The text of a blob in NVS; empty when there is none."""
        blob = bytearray(32)
        try:
            size = self.nvs.get_blob(key, blob)
        except Exception:  # noqa: BLE001 - there is none, or NVS fails
            return ""
        return "".join(chr(byte) for byte in blob[:size] if 48 <= byte <= 122 and byte != 92)

    def _clear(self, key):
        try:
            self.nvs.erase_key(key)
            self.nvs.commit()
        except Exception as error:  # noqa: BLE001 - it is reported once more by the next wake
            mishaps.add(self._state, _FLASH, error)

    # A build on trial

    def record_attempt(self, covered, up, plan):
        """After an attempt to report. ``covered``: a live ack covers a message of this build, which
        keeps a build on trial."""
        slots = self._slots
        if not slots.on_trial:
            return
        if covered:
            from node.update import manifest

            slots.commit(manifest.load(slots.folder).floor)
            self._state.fw_floor = max(self._state.fw_floor, slots.floor)
            self.add_conf(up, plan, True)
        else:
            slots.unanswered()

    def add_conf(self, up, plan, ok, code=""):
        """Answer the ``down`` in force once more, with the result of its update."""
        from node.exchange import orders

        fields = orders.conf(self._state.down_n, self._state, plan, ok, code)
        self._queue.add_event(up, fields)
        self._state.pending = 1

    # An ordered release

    def wants(self, given):
        """Whether a ``down`` asks for a release that does not run yet."""
        wanted = given.get("update")
        order = wanted.get("n") if isinstance(wanted, dict) else None
        if not isinstance(order, int):
            return bool(wanted)  # answered by its code, and never downloaded
        return order > self._slots.refused and not self.runs(wanted.get("version"))

    def runs(self, version):
        """Whether that release is the one in force."""
        return self._slots.active != 0 and version == self._slots.version

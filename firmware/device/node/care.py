"""Remote care: what a wake says of its start, and how a release proves itself or goes back."""

from micropython import const

_FAULT = const("fault")  # guard.py's


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
        from node import manifest  # seldom needed, and not small

        found = manifest.fingerprint(slots.folder)
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
            from node import manifest

            slots.commit(manifest.load(slots.folder).floor)
            self._state.fw_floor = max(self._state.fw_floor, slots.floor)
            self.answer(up, plan, True)
        else:
            slots.unheard()

    def answer(self, up, plan, ok, code=""):
        """Answer the ``down`` in force once more: what became of its update."""
        from node import orders

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

    def update(self, talk, wanted, key, mv):
        """Go on fetching the release that ``down`` wants. Returns (code, whether to reset)."""
        from node.update import Update

        return Update(self._config, self._slots, self._state, self.feed).go_on(
            talk, wanted, key, mv
        )

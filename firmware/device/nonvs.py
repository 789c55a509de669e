"""In a file of its own, since it is seldom needed and slots.py is in the heap of every start."""


class NoNvs:
    """Used when NVS cannot be opened: nothing is stored, and the cable's build runs."""

    def get_i32(self, key):
        raise OSError("no NVS")

    def get_blob(self, key, buffer):
        raise OSError("no NVS")

    def set_i32(self, key, value):
        pass

    def set_blob(self, key, value):
        pass

    def commit(self):
        pass

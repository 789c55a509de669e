"""Loaded where NVS cannot be opened: it is seldom, and every start has slots.py in its heap."""


class NoNvs:
    """Stands in where NVS cannot be opened: nothing is kept, the cable's build runs."""

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

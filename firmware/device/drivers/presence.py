"""A pin that a part holds at a level while something goes on."""


class LevelPin:
    """An input, high while active."""

    def __init__(self, pin):
        self.pin = pin

    def active(self):
        """Whether it is high now."""
        return bool(self.pin.value())

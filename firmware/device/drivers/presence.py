"""A pin whose level shows a state, such as motion or an open lid."""


class LevelPin:
    """An input, high while active."""

    def __init__(self, pin):
        self.pin = pin

    def active(self):
        """Whether it is high now."""
        return bool(self.pin.value())

"""Why an authentic message is flagged."""


class Malformed(Exception):
    """An OBJECT breaks a rule; ``reason`` is the leaf's ``flag``: one word of ``[a-z_]``."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason

"""The port of a channel."""

from typing import Protocol


class TransportError(Exception):
    """A message was not accepted. ``permanent``: a retry cannot help.

    The text is for the coordinator and holds no address and no token.
    """

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class Channel(Protocol):
    """One destination of alerts."""

    @property
    def name(self) -> str:
        """Stable over restarts, and without address or token."""
        ...

    def send(self, text: str, title: str) -> None:
        """Send ``text``, with ``title`` where the channel shows one.

        Returns once the other side has accepted it; raises TransportError.
        """
        ...

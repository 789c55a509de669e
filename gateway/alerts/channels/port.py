"""The port of a channel."""

from typing import Protocol


class TransportError(Exception):
    """A message could not be handed over. ``permanent``: trying again cannot help.

    The text is for the coordinator; it holds no address and no token.
    """

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class Channel(Protocol):
    """One place where alerts go."""

    @property
    def name(self) -> str:
        """Stable over restarts, safe to show: no address, no token."""
        ...

    def send(self, text: str, title: str) -> None:
        """Hand ``text`` over, with ``title`` where the channel shows one.

        Returns when the other side has accepted it; raises TransportError.
        """
        ...

"""Ways to people: the log, and everything that Apprise reaches. One class each, one port."""

from gateway.channels.opening import open_channels
from gateway.channels.port import Channel, TransportError

__all__ = ["Channel", "TransportError", "open_channels"]

"""Ways to people: the log, and everything that Apprise reaches. One class each, one port."""

from gateway.alerts.channels.factory import open_channels
from gateway.alerts.channels.port import Channel, TransportError

__all__ = ["Channel", "TransportError", "open_channels"]

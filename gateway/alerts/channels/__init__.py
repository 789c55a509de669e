"""Destinations of alerts: the log, and everything that Apprise reaches, behind one port."""

from gateway.alerts.channels.factory import open_channels
from gateway.alerts.channels.port import Channel, TransportError

__all__ = ["Channel", "TransportError", "open_channels"]

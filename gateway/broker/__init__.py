"""The broker: yours by URL, or a private one that this program starts and looks after."""

from gateway.broker.reach import reached
from gateway.broker.rules import login

__all__ = ["login", "reached"]

"""The broker: yours by URL, or a private one that this program starts and looks after."""

from gateway.mqtt.broker.connect import connect_broker
from gateway.mqtt.broker.rules import login

__all__ = ["connect_broker", "login"]

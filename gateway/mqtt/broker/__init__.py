"""The broker: one named by URL, or a private one that the gateway starts and supervises."""

from gateway.mqtt.broker.private import connect_broker
from gateway.mqtt.broker.rules import login

__all__ = ["connect_broker", "login"]

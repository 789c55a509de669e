"""Whole payloads, as a gateway makes them."""

from node.storage import envelope


def seal(key, topic, obj, signature=b""):
    """OBJECT and what authenticates it."""
    return obj + envelope.tail(key, topic, signature, obj)

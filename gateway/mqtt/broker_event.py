"""A change of the connection to the broker, in order with the messages around it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BrokerEvent:
    """``run``: ``broker_lost``, ``broker_back`` or ``broker_drained``; ``received`` is Unix s."""

    run: str
    received: float

"""Finds the gateway's broker, and starts it where it is private."""

import contextlib
from collections.abc import Generator

import sqlalchemy as sa

from gateway.mqtt import address
from gateway.mqtt.address import Address
from gateway.mqtt.broker.private import PrivateBroker
from gateway.settings import Settings


@contextlib.contextmanager
def connect_broker(settings: Settings, engine: sa.Engine) -> Generator[Address]:
    """The address of the setting ``broker``. A private broker runs until the block ends.

    Raises BrokerError when a private one cannot start; one named by URL may be unreachable.
    """
    if settings.broker != "auto":
        yield address.address_of(settings)
        return
    broker = PrivateBroker(settings, engine)
    broker.start()
    try:
        yield broker.address
    finally:
        broker.close()

"""Where the gateway's broker is, made to run first where it is private."""

import contextlib
from collections.abc import Generator

import sqlalchemy as sa

from gateway.mqtt import address
from gateway.mqtt.address import Address
from gateway.mqtt.broker.private import PrivateBroker
from gateway.settings import Settings


@contextlib.contextmanager
def connect_broker(settings: Settings, engine: sa.Engine) -> Generator[Address]:
    """The broker of the setting ``broker``. A private one runs until the block ends.

    Raises BrokerError when a private one cannot start; one by URL may be away.
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

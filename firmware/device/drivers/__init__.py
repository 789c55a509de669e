"""Sensor drivers. A driver's bus is passed in; reading raw values is separate from converting."""


class SensorError(Exception):
    """Base of the drivers' errors. ``code`` goes on the wire, in event ``fault``."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code

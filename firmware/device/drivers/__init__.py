"""Sensor drivers: each is handed its bus; a raw read apart from pure conversion."""


class SensorError(Exception):
    """What each chip's own error is one of. ``code`` goes on the wire, in event ``fault``."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code

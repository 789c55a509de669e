"""The channels ``log`` and ``log-names``: alerts in the program's own log."""

import logging

LOGGER = "noria.alert"
_log = logging.getLogger(LOGGER)


class LogChannel:
    """Writes each alert as one line, level INFO, logger ``noria.alert``.

    A log is read by more people, and kept longer, than an alert: by default (``nameless``) a tank
    is its random id there, and nobody is named.
    """

    def __init__(self, name: str = "log") -> None:
        self.name = name
        self.nameless = name == "log"

    def send(self, text: str, title: str) -> None:
        """Write the text, which begins with the title."""
        _log.info("%s", " ".join(text.split()))

"""The channel ``log``: alerts in the program's own log, for trials and the demo."""

import logging

LOGGER = "noria.alert"
_log = logging.getLogger(LOGGER)


class LogChannel:
    """Writes each alert as one line, level INFO, logger ``noria.alert``."""

    name = "log"

    def send(self, text: str, title: str) -> None:
        """Write the text, which begins with the title."""
        _log.info("%s", " ".join(text.split()))

"""The channel ``log``: alerts on the program's own log, for trying out and the demo."""

import logging

LOGGER = "noria.alert"
_log = logging.getLogger(LOGGER)


class LogChannel:
    """Writes each alert as one line, level INFO, logger ``noria.alert``."""

    name = "log"

    def send(self, text: str, title: str) -> None:
        """Write it. The title is the text's first sentence, so it is not repeated."""
        _log.info("%s", " ".join(text.split()))

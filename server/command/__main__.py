"""``python -m server.command`` is ``noria``."""

from server.command.main import noria

noria()

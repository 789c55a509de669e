"""One file per board: its pins, power supplies, sleep and wake sources.

``config.json`` names the file (``board``); the rest of the firmware does not depend on it.
"""


def named(name):
    """The board of ``board/<name>.py``. Raises ImportError when there is none."""
    return __import__("board." + name, None, None, ("Board",)).Board()

"""One file per board: its pins, its powers, its ways to sleep and to wake.

``config.json`` names the file (``board``); nothing else in the firmware knows which one it is.
"""


def named(name):
    """The board of ``board/<name>.py``. Raises ImportError when there is none."""
    return __import__("board." + name, None, None, ("Board",)).Board()

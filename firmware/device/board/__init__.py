"""One file per board: its pins, its powers, its ways to sleep and to wake.

``config.json`` names the file (``board``); nothing else in the firmware knows which one it is.
"""


def named(name):
    """The Board class of ``board/<name>.py``. Raises OSError when there is no such file."""
    try:
        return __import__("board." + name, None, None, ("Board",)).Board
    except ImportError as error:
        raise OSError("board %r: no such file in board/: copy the firmware again" % name) from error

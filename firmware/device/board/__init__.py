"""One file per board: its pins, its powers, its ways to sleep and to wake."""


def named(name):
    """The board of ``board/<name>.py``. Raises ImportError when there is none."""
    return __import__("board." + name, None, None, ("Board",)).Board()

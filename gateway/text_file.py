"""Text files that a person edits, as editors of all systems save them."""

import codecs
from pathlib import Path

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path) -> str:
    """The text without a byte-order mark, lines ended by LF; UTF-8, or UTF-16 where a mark says so.

    Raises OSError and UnicodeDecodeError.
    """
    data = path.read_bytes()
    text = data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")
    return text.replace("\r\n", "\n").replace("\r", "\n")

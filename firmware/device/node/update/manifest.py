"""The manifest of a release: its signed list of files (gateway/WIRE.md, *Releases*).

```
noria-release-1
version 3
floor 3
fw 0.3.0
board firebeetle
file node/wake.mpy 1234 <SHA-256, 64 hex digits>
```
"""

import binascii
import hashlib

from micropython import const

NAME = "manifest"
LIMIT = 8192
_FIRST = const("noria-release-1")
_CHARACTERS = const("abcdefghijklmnopqrstuvwxyz0123456789_./")
_LARGEST = const(2**31 - 1)


class ReleaseError(ValueError):
    """A release cannot be installed; the argument is the code that ``conf`` carries."""


class Manifest:
    """A release: ``version``, ``floor``, ``fw``, ``board``, ``size`` in bytes of all its files.

    The list of files is not kept, it would fill the heap: :func:`files` parses it again.
    """

    def __init__(self, lines):
        """``lines``: of bytes, each with its line feed, as a file yields them."""
        given, self.size, whole = {}, 0, True
        for words in _words(lines):
            if len(words) == 4:
                size = _file(words)[1]
                self.size += size
                whole = whole and size > 0  # no file of a release is empty
            else:
                given[words[0]] = words[1]
        self.version, self.floor = _number(given.get("version")), _number(given.get("floor"))
        self.fw, self.board = given.get("fw", ""), given.get("board", "")
        if not 0 < self.floor <= self.version or not (whole and self.size) or len(self.fw) > 24:
            raise ReleaseError("manifest")


def files(lines):
    """(path, size, SHA-256) of the files of a manifest, in its order."""
    for words in _words(lines):
        if len(words) == 4:
            yield _file(words)


def _words(lines):
    """The words of every line after the first."""
    first = True
    for raw in lines:
        try:
            line = raw.decode()
        except UnicodeError:
            raise ReleaseError("manifest") from None
        if line[-1:] != "\n" or (first and line != _FIRST + "\n"):
            raise ReleaseError("manifest")
        words = line[:-1].split(" ")
        if not first:
            if len(words) != 2 and not (words[0] == "file" and len(words) == 4):
                raise ReleaseError("manifest")
            yield words
        first = False


def _file(words):
    path, size = words[1], _number(words[2])
    steps = path.split("/")
    if any(char not in _CHARACTERS for char in path) or len(words[3]) != 64:
        raise ReleaseError("manifest")
    if any(step in ("", ".", "..") for step in steps) or len(steps) > 3:
        raise ReleaseError("manifest")  # the path would be outside of the slot
    return path, size, binascii.unhexlify(words[3])


def _number(word):
    if word is None or not word.isdigit() or not 0 <= int(word) <= _LARGEST:
        raise ReleaseError("manifest")
    return int(word)


def digest(path):
    """SHA-256 of a file."""
    sum_, buffer = hashlib.sha256(), bytearray(512)
    with open(path, "rb") as file:
        while True:
            count = file.readinto(buffer)
            if not count:
                return sum_.digest()
            sum_.update(memoryview(buffer)[:count])


def fingerprint(folder):
    """``fh`` of a boot: 16 hex digits of its manifest's SHA-256, empty where there is none."""
    try:
        found = digest(folder + "/" + NAME if folder else NAME)
    except OSError:
        return ""  # a build copied by cable
    return "".join("%02x" % byte for byte in found[:8])


def load(folder):
    """The :class:`Manifest` of a slot. Raises OSError when it has none."""
    with open(folder + "/" + NAME, "rb") as file:
        return Manifest(file)

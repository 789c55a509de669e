"""Strict JSON: exactly the syntax that WIRE.md, section 1, allows in an OBJECT.

MicroPython's own parser accepts more (a missing comma, a name twice, 1e3, text after the end), and
could then read another message than the gateway sent.
"""

from micropython import const

_DEPTH = const(4)
_LARGEST = const(2**53 - 1)
_LONGEST = const(17)  # digits and sign of an integer; more is too large
_BACKSLASH = const(0x5C)
_WORDS = (("true", True), ("false", False), ("null", None))


def parse(obj):
    """The dict of the bytes of one OBJECT. Raises ValueError."""
    for byte in obj:
        if not 0x20 <= byte <= 0x7E or byte == _BACKSLASH:
            raise ValueError("byte %d" % byte)
    text = obj.decode()
    if text[:1] != "{":
        raise ValueError("no object")
    parser = _Parser(text)
    found = parser.members(1)
    if parser.at != len(text):
        raise ValueError("more after the end")
    return found


class _Parser:
    """A recursive parser; the allowed depth bounds its recursion."""

    def __init__(self, text):
        self._text = text
        self.at = 0

    def _value(self, depth):
        """The value that begins here; ``depth`` is that of an object or list here."""
        mark = self._peek()
        if mark in ("{", "["):
            if depth > _DEPTH:
                raise ValueError("too deep")
            return self.members(depth) if mark == "{" else self._list(depth)
        if mark == '"':
            return self._string()
        for word, meant in _WORDS:
            if self._text[self.at : self.at + len(word)] == word:
                self.at += len(word)
                return meant
        return self._integer()

    def members(self, depth):
        """The object that begins here, by name."""
        found = {}
        while self._another("}", found):
            name = self._string()
            if name in found:
                raise ValueError("a name twice")
            self._space()
            self._take(":")
            self._space()
            found[name] = self._value(depth + 1)
        return found

    def _list(self, depth):
        found = []
        while self._another("]", found):
            found.append(self._value(depth + 1))
        return found

    def _another(self, end, found):
        """Whether one more item follows, after its comma where it is not the first."""
        first = not found
        if first:
            self.at += 1
        self._space()
        if self._peek() == end:
            self.at += 1
            return False
        if not first:
            self._take(",")
            self._space()
        return True

    def _string(self):
        self._take('"')
        end = self._text.find('"', self.at)
        if end < 0:
            raise ValueError("a text without end")
        found = self._text[self.at : end]
        self.at = end + 1
        return found

    def _integer(self):
        start = self.at
        if self._peek() == "-":
            self.at += 1
        digits = self.at
        while "0" <= self._peek() <= "9":
            self.at += 1
        found = self._text[start : self.at]
        if self.at == digits or found == "-0" or len(found) > _LONGEST:
            raise ValueError("no integer")
        if self._text[digits] == "0" and self.at > digits + 1:
            raise ValueError("a leading zero")
        number = int(found)
        if not -_LARGEST <= number <= _LARGEST:
            raise ValueError("too large")
        return number

    def _take(self, mark):
        if self._peek() != mark:
            raise ValueError("no " + mark)
        self.at += 1

    def _peek(self):
        return self._text[self.at : self.at + 1]

    def _space(self):
        while self._peek() == " ":
            self.at += 1

"""Encodes MQTT 3.1.1 texts and packets (OASIS standard of 2014, 1.5.3 and 2.2.3)."""

import struct


def text(given):
    """Two bytes of length, then the text or bytes."""
    raw = given.encode() if isinstance(given, str) else given
    return struct.pack(">H", len(raw)) + raw


def framed(kind, body):
    """A whole packet."""
    return opened(kind, len(body)) + body


def opened(kind, size):
    """The beginning of a packet: its first byte, and its body's length, seven bits a byte."""
    head = [kind]
    while True:
        head.append(size % 128 | (0x80 if size > 127 else 0))
        size //= 128
        if not size:
            return bytes(head)

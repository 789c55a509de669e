"""SHA-512 (FIPS 180-4), which MicroPython's ``hashlib`` lacks: for Ed25519, some KB at a time."""

import binascii
import struct

from micropython import const

_MASK = const(0xFFFFFFFFFFFFFFFF)
_START = (
    0x6A09E667F3BCC908,
    0xBB67AE8584CAA73B,
    0x3C6EF372FE94F82B,
    0xA54FF53A5F1D36F1,
    0x510E527FADE682D1,
    0x9B05688C2B3E6C1F,
    0x1F83D9ABFB41BD6B,
    0x5BE0CD19137E2179,
)
# Fractional parts of the cube roots of the first 80 primes, 64 bits each; a test draws them anew.
_K = binascii.a2b_base64(
    "QoovmNcoriJxN0SRI+9lzbXA+8/sTTsv6bXbpYGJ27w5VsJb80i1OFnxEfG2BdAZkj+CpK8ZT5urHF7V2m2BGNgHqpij"
    "AwJCEoNbAUVwb74kMYW+TuSyjFUMfcPV/7Ticr5ddPJ7iW+A3rH+OxaWsZvcBqclxxI1wZvxdM9pJpTkm2nBnvFK0u++"
    "R4Y4TyXjD8GdxouM1bUkDKHMd6ycZS3pLG9ZKwJ1SnSEqm6m5INcsKncvUH71Hb5iNqDEVO1mD5RUu5m36uoMcZtLbQy"
    "ELADJ8iY+yE/v1l/x77vDuTG4AvzPaiPwtWnkUeTCqclBspjUeADgm8UKSlnCg5ucCe3CoVG0i/8LhshOFwmySZNLG38"
    "WsQq7VM4DROdlbPfZQpzVIuvY952agq7PHeyqIHCyS5H7a7mknIshRSCNTuiv+ihTPEDZKgaZku8QjABwkuLcND4l5HH"
    "bFGjBlS+MNGS6BnW71IY1pkGJFVlqRD0DjWFV3EgKhBqoHAyu9G4GaTBFrjS0MgeN2wIUUGrUydId0zfjuuZNLC8teGb"
    "SKg5HAyzxclaY07YqkrjQYrLW5zKT3dj43NoLm/z1rK4o3SPgu5d77L8eKVjb0MXL2CEyHgUofCrcozHAggaZDnskL7/"
    "+iNjHiikUGzr3oK96b75o/eyxnkVxnF48uNyUyvKJz7O6iZhnNGGuMchwMIH6tp91s3g6x71fU9/7m7ReAbwZ6pyF2+6"
    "CmN9xaLImKYRP5gEvvkNrhtxCzUTHEcbKNt39SMEfYQyyqt7QMckkzyevgoVyb68Qx1nxJwQDUxMxdS+yz5Ctll/KZz8"
    "ZX4qX8tvqzrW+uxsRBmMSkdYFw=="
)


def digest(*parts):
    """The 64 bytes of SHA-512 of ``parts`` (bytes), one after the other."""
    return over(parts)


def over(parts):
    """The same of anything that yields them: they need not be in the heap at once."""
    constants = struct.unpack(">80Q", _K)
    state, held, size = _START, b"", 0
    for part in parts:
        size += len(part)
        at = 128 - len(held) if held else 0
        if held:
            held += bytes(part[:at])
            if len(held) < 128:
                continue
            state = _block(state, held, 0, constants)
        while at + 128 <= len(part):
            state = _block(state, part, at, constants)
            at += 128
        held = bytes(part[at:])
    padding = b"\x80" + bytes((111 - size) % 128 + 8)
    held += padding + struct.pack(">Q", size * 8)
    for at in range(0, len(held), 128):
        state = _block(state, held, at, constants)
    return struct.pack(">8Q", *state)


def _block(state, data, at, constants):
    # A word doubled, x | x << 64, makes each rotation one shift; bits above 64 go in the sums.
    words = list(struct.unpack_from(">16Q", data, at))
    a, b, c, d, e, f, g, h = state
    for i in range(80):
        if i < 16:
            word = words[i]
        else:
            x, y = words[i + 1 & 15], words[i + 14 & 15]
            x2, y2 = x | x << 64, y | y << 64
            word = words[i & 15] + words[i + 9 & 15] + ((x2 >> 1 ^ x2 >> 8) & _MASK ^ x >> 7)
            word = word + ((y2 >> 19 ^ y2 >> 61) & _MASK ^ y >> 6) & _MASK
            words[i & 15] = word
        e2, a2 = e | e << 64, a | a << 64
        h += ((e2 >> 14 ^ e2 >> 18 ^ e2 >> 41) & _MASK) + (g ^ e & (f ^ g)) + constants[i] + word
        t = h + ((a2 >> 28 ^ a2 >> 34 ^ a2 >> 39) & _MASK) + (a & b | c & (a | b))
        h, g, f, e, d, c, b, a = g, f, e, d + h & _MASK, c, b, a, t & _MASK
    new = (a, b, c, d, e, f, g, h)
    return tuple([state[i] + new[i] & _MASK for i in range(8)])

"""Ed25519 (RFC 8032) in integers alone: signs a device's messages, verifies a release.

Signing takes the base point's multiples from a comb of four teeth (Lim and Lee, CRYPTO 1994):
64 doublings and 64 additions for every scalar. It is not constant time, since MicroPython's integer
operations depend on the values. To measure that one needs the board in hand, and could read the
key off its flash as well; the timing does not show on the network.
"""

import binascii

from lib import sha512

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493  # the base point's order
_D = -121665 * pow(121666, _P - 2, _P) % _P
_TEETH, _COLUMNS = 4, 64

# (y + x, y - x, 2dxy) of each sum of the base point's multiples by 1, 2^64, 2^128 and 2^192.
_COMB = (  # in base64, 128 characters each: decoded one by one to save heap
    b"hTuM9caTvC8ZDoz7xi2Tz8JCPWSYSAsnZbrUMzqdzwc+kUDXBTkQnbO+QNEFnzn9CYqPaDSEwaVnEviYki/9RGiqeocF"
    b"EsmrnsSqzCPo2SaMWUPdy30bWqhlDJ9oexFvFfXRd+dlKs3xYKqPh5GJVOUGvNq8O7ex+8l8qct4SGX+sPaNx44TURv1"
    b"deWJ2pdTufF6cR16IAlQ1iAruv0CIaHmXAUF5J6WKa1REminvDYVpH2qF/UaOrqy7CnbJdcK6FkeYIXFVQBgDkhmKzST"
    b"h0zkRf7QqhQ+K88TSObY6iakYoSctrh1y9cc02fFb9gt9kITiOxyGc0vL8EPl7V1CUOnW9oDI89jbrrxUoGdvwTaZ3Oq"
    b"0JA3M+rF9p1HcEZToo6trL8EO1iE6IsU6EO3KdvFEAg7WB4rqruzjuVJVCtHvj3rYnU6X7igvY5UOOr3mXJ0RTHlwwBR"
    b"1ScW5+kEE/6c3GrSFJh4C91Iiz+rGzwKxnn5/+EP2pPWLXwt3mhESGe8440nGCH3DrLQYP0f55ixe8ZRvlH1TT1U0GQ2"
    b"oSbuOaMTOy1SKSmV2GxQJVKF8fD0rNQ66t8udEJ5umvXSR3mVo0zQvoUmilRw0Y5HRmFsa2nbVd9JMLt/Kjjrx9OTARq"
    b"Iz0F5xXjh407sbzdPCioIdPSYJlRpLvFDw+aVU4ccBKcdugA/l87nAMK3NyVG+sCDEtFacEMU4df0yFwch4k3ycHBHGl"
    b"Ng2QsqrvRd/emqZgXNtu/h3Auwcwt/xkypDTb8xY7zj8mBoXdWV471/WQsSPt1CI74bQb23GNG8E3Jg4tMvzkye3B0Oy"
    b"/5EHHZg0zpaAvddtn4SLjotZC4n2wgyKwc8RKs4ptQdGEYFAWQvARsCbCshmrLGwKCFBwBoMyJ3MbaY2pDgb9Fygl8bX"
    b"25W+8+unq31+jfa4oH2mdVY4FCB47+ip/aown2Siy6jfXFDr0UyzwE0duloRRnbatcNTGQ/Um54RIXNvrB1gWbL+IWDM"
    b"A0tLZ4N+iF9a9MGiDBhgjQpA32jM27BegZlOL7hHeubXwBV/YJAooEWE8UH90Wbz/h7hzwERSmmLTadQAV7hOUu6UdNq"
    b"PfATQMxl4G7cggK9RuZKIv2UuTZ06Lz+2JpOU09u8NnBVSJIAPjOcc/qAzy7/orKRHU2kHfEKWoo6j84YlRlvLCThU6M"
    b"Y+WjShHeEg3yxCmpSiq6oxOLe53SsFZEeZt7SRq5awbS58VG5kkqRcRjks35PrGeUqvt6GyrUJvj67B5fc8gSFznik6P"
    b"0stgCwBEkQLePHAhvJjIuTs3hghXn1OIEXzKff7wnZO0fc5RqcsPuQ71HR1+NRzmiwmdRpmIN2I1AgNMWuH67/YgBY53"
    b"PJQKRy9n3pn8Awr1eYMUBtGIAdI43xVjDq0R6COQsq7iBQ1lC2xYXadZD7q37k0fXtTtPgQXMgfH8kfB9gzSr/MZuVHG"
    b"AvhBcP3bjyU+B0VPqU88F8T5jZJg6nE9LVZzMwZ4fluyUpWiTFGw2XLEPJkkcCoeH4Fc1LwPGmADCOySfby3JH9A0hcr"
    b"5sqgJlsiBu5Dy1+k+wk1uQkFMXUbYwV2s40NhxxAUrrM3pdz57IR9ElGBF8hmJWtJA0MjGI2zCaQfxvq3BZwVS+OM4/l"
    b"wFz6G4oMTBAdaLUD541Fy2MSWXovPWNs5RwXDHGuyubD/H58hWvAASiLtFbSecQPQDysvp9+QbozRx2rUafKikHd9Sve"
    b"CX9o8O/zD/E7onvj8TTqul5NA2YdJmGe5MpCssMqbkZbQrj7R2frfhOLGoFgdVzfeZrI+HFvpytawv/IO1YqlQk8+H7c"
    b"S8uooibCk1/6xrWWpeNkBhvr69Qvz8bl3EqbQMRQQ4O5PdVEtAX1pQWTKYkv/0lZovoi+2R9ZQSnaLlp"
)


class SignatureError(ValueError):
    """The signature is not that key's over that message."""


def public_key(seed):
    """The public key (32 bytes) of a private key, 32 random bytes."""
    return _encoded(_comb(_expanded(seed)[0]))


def sign(seed, public, *message):
    """The signature (64 bytes) over the parts of ``message``; ``public`` is the key's own."""
    scalar, prefix = _expanded(seed)
    r = _hashed(prefix, *message)
    nonce = _encoded(_comb(r))
    s = (r + _hashed(nonce, public, *message) * scalar) % _L
    return nonce + s.to_bytes(32, "little")


def verify(public, signature, *message):
    """Raises SignatureError unless ``signature`` is the key's. Strict: canonical ``s`` and key."""
    verify_over(public, signature, message)


def verify_over(public, signature, message):
    """As ``verify``, for an iterable of the parts of ``message``, such as an open file."""
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or s >= _L:
        raise SignatureError("signature: not 64 bytes of canonical form")
    k = int.from_bytes(sha512.over(_then(signature[:32], public, message)), "little") % _L
    # sB - kA must be R: kA is added with A's x negated.
    x, y = _decoded(public)
    if _encoded(_added(_comb(s), _times(k, (-x % _P, y)))) != bytes(signature[:32]):
        raise SignatureError("signature: not this key's over this message")


def _then(nonce, public, message):
    yield nonce
    yield public
    yield from message


def _expanded(seed):
    if len(seed) != 32:
        raise ValueError("private key: %d bytes, 32 are needed" % len(seed))
    h = sha512.digest(seed)
    clamped = int.from_bytes(h[:32], "little") & (1 << 254) - 8 | 1 << 254
    return clamped, h[32:]


def _hashed(*parts):
    return int.from_bytes(sha512.digest(*parts), "little") % _L


# Points are (X, Y, Z, T), x = X / Z, y = Y / Z, xy = T / Z (RFC 8032, 5.1.4).


def _comb(scalar):
    """``scalar`` (below 2^256) times the base point."""
    point = (0, 1, 1, 0)
    for column in range(_COLUMNS - 1, -1, -1):
        point = _doubled(point)
        index = 0
        for tooth in range(_TEETH):
            index |= (scalar >> (column + _COLUMNS * tooth) & 1) << tooth
        point = _mixed(point, _entry(index))
    return point


def _entry(index):
    if not index:
        return 1, 1, 0
    at = (index - 1) * 128
    raw = binascii.a2b_base64(_COMB[at : at + 128])
    return tuple([int.from_bytes(raw[n : n + 32], "little") for n in (0, 32, 64)])


def _times(scalar, affine):
    """``scalar`` times a point, both public: its time may depend on them."""
    x, y = affine
    base = ((y + x) % _P, (y - x) % _P, 2 * _D * x * y % _P)
    point = (0, 1, 1, 0)
    for bit in range(252, -1, -1):
        point = _doubled(point)
        if scalar >> bit & 1:
            point = _mixed(point, base)
    return point


def _doubled(point):
    x, y, z, _ = point
    a = x * x % _P
    b = y * y % _P
    h = a + b
    e = h - (x + y) * (x + y)
    g = a - b
    f = 2 * z * z + g
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _mixed(point, entry):
    """``point`` plus a point given as (y + x, y - x, 2dxy)."""
    x, y, z, t = point
    a = (y - x) * entry[1]
    b = (y + x) * entry[0]
    c = t * entry[2]
    e, f, g, h = b - a, 2 * z - c, 2 * z + c, b + a
    e, f, g, h = e % _P, f % _P, g % _P, h % _P
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _added(point, other):
    """The sum of two points, once a verification."""
    x, y = _affine(other)
    return _mixed(point, ((y + x) % _P, (y - x) % _P, 2 * _D * x * y % _P))


def _affine(point):
    inverse = pow(point[2], _P - 2, _P)
    return point[0] * inverse % _P, point[1] * inverse % _P


def _encoded(point):
    x, y = _affine(point)
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decoded(raw):
    """(x, y) of an encoded point (RFC 8032, 5.1.3). Raises SignatureError."""
    number = int.from_bytes(raw, "little")
    y, odd = number & (1 << 255) - 1, number >> 255
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if (v * x * x - u) % _P:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if len(raw) != 32 or y >= _P or (v * x * x - u) % _P or (not x and odd):
        raise SignatureError("public key: no point of the curve")
    return (_P - x if x & 1 != odd else x), y

"""Verifies Ed25519 signatures (RFC 8032): of a release, before it is installed."""

from lib import ed25519, sha512

_P = ed25519.P
_D = -121665 * pow(121666, _P - 2, _P) % _P


class SignatureError(ValueError):
    """The signature is not that key's over that message."""


def verify(public, signature, *message):
    """Raises SignatureError unless ``signature`` is the key's. Strict: canonical ``s`` and key."""
    verify_over(public, signature, message)


def verify_over(public, signature, message):
    """As ``verify``, for an iterable of the parts of ``message``, such as an open file."""
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or s >= ed25519.L:
        raise SignatureError("signature: not 64 bytes of canonical form")
    k = int.from_bytes(sha512.over(_then(signature[:32], public, message)), "little") % ed25519.L
    # sB - kA must be R: kA is added with A's x negated.
    x, y = _decoded(public)
    if ed25519.encoded(_added(ed25519.comb(s), _times(k, (-x % _P, y)))) != bytes(signature[:32]):
        raise SignatureError("signature: not this key's over this message")


def _then(nonce, public, message):
    yield nonce
    yield public
    yield from message


def _times(scalar, affine):
    """``scalar`` times a point, both public: its time may depend on them."""
    x, y = affine
    base = ((y + x) % _P, (y - x) % _P, 2 * _D * x * y % _P)
    point = (0, 1, 1, 0)
    for bit in range(252, -1, -1):
        point = ed25519.doubled(point)
        if scalar >> bit & 1:
            point = ed25519.mixed(point, base)
    return point


def _added(point, other):
    """The sum of two points, once a verification."""
    x, y = ed25519.affine(other)
    return ed25519.mixed(point, ((y + x) % _P, (y - x) % _P, 2 * _D * x * y % _P))


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

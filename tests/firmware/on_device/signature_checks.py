"""Ed25519 and SHA-512 against RFC 8032's vectors, and the tables against their definitions."""

import binascii
import json
import sys

from lib import ed25519, sha512, verification

with open(sys.argv[2] + "/ed25519.json") as _file:
    CASES = json.load(_file)["cases"]


def test_each_vector_of_the_rfc_is_signed_to_its_bytes():
    for case in CASES:
        seed, message = _raw(case["seed"]), _raw(case["message"])
        public = ed25519.public_key(seed)
        assert _hex(public) == case["public"]
        assert _hex(ed25519.sign(seed, public, message)) == case["signature"]


def test_each_vector_verifies_and_no_changed_byte_does():
    for case in CASES:
        public, signature = _raw(case["public"]), _raw(case["signature"])
        verification.verify(public, signature, _raw(case["message"]))
        for at in (0, 31, 32, 63):
            changed = bytearray(signature)
            changed[at] ^= 1
            assert _refused(public, bytes(changed), _raw(case["message"])), at
        assert _refused(public, signature, _raw(case["message"]) + b"x")
        assert _refused(
            _raw(CASES[len(case["message"]) == 0]["public"]), signature, _raw(case["message"])
        )


def test_a_signature_with_the_order_added_is_refused():
    case = CASES[1]
    signature = _raw(case["signature"])
    s = int.from_bytes(signature[32:], "little") + ed25519.L
    forged = signature[:32] + s.to_bytes(32, "little")
    assert _refused(_raw(case["public"]), forged, _raw(case["message"]))


def test_a_signature_cut_short_or_a_key_off_the_curve_is_refused():
    case = CASES[1]
    public, signature = _raw(case["public"]), _raw(case["signature"])
    assert _refused(public, signature[:63], _raw(case["message"]))
    assert _refused(b"\xff" * 32, signature, _raw(case["message"]))
    assert _refused(b"\x02" + bytes(31), signature, _raw(case["message"]))


def test_the_comb_is_the_base_points_multiples():
    base = verification._decoded(
        (4 * pow(5, ed25519.P - 2, ed25519.P) % ed25519.P).to_bytes(32, "little")
    )
    x, y = base
    for index in range(1, 16):
        scalar = sum(1 << 64 * tooth for tooth in range(4) if index >> tooth & 1)
        assert _entry_of(verification._times(scalar, (x, y))) == ed25519._entry(index), index


def test_sha_512_holds_at_every_length_about_a_block():
    # FIPS 180-4's own example, then lengths at which the padding changes shape, fed in two parts.
    assert _hex(sha512.digest(b"abc"))[:32] == "ddaf35a193617abacc417349ae204131"
    for size in (0, 1, 111, 112, 113, 127, 128, 129, 239, 240, 256, 300):
        text = bytes(n % 251 for n in range(size))
        whole = sha512.digest(text)
        for cut in (0, 1, 100, 127, 128, 129):
            assert sha512.digest(text[:cut], text[cut:]) == whole, (size, cut)


def test_sha_512s_constants_are_cube_roots_of_primes():
    primes = [n for n in range(2, 410) if all(n % k for k in range(2, n))]
    for at, prime in enumerate(primes[:80]):
        word = int.from_bytes(sha512._K[at * 8 : at * 8 + 8], "big")
        whole = 0
        while (whole + 1) ** 3 <= prime:
            whole += 1
        root = (whole << 64) + word
        assert root**3 <= prime << 192 < (root + 1) ** 3, prime


def _entry_of(point):
    p = ed25519.P
    x, y = ed25519.affine(point)
    return (y + x) % p, (y - x) % p, 2 * verification._D * x * y % p


def _refused(public, signature, message):
    try:
        verification.verify(public, signature, message)
    except verification.SignatureError:
        return True
    return False


def _raw(text):
    return binascii.unhexlify(text)


def _hex(raw):
    return binascii.hexlify(raw).decode()

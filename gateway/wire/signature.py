"""Ed25519 signatures (RFC 8032) of devices and of releases."""


def is_valid(public_key: bytes, signature: bytes, content: bytes) -> bool:
    """Whether ``signature`` (64 bytes) of ``content`` was made with the key of ``public_key``.

    False too where one of them has another length.
    """
    # 8 MB, which a gateway saves whose devices sign nothing.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True

"""A small CA on P-256: makes itself and certificates for the broker (RFC 5280).

Loads ``cryptography``: import this module only where TLS is in use.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from secrets import token_hex

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.mqtt.certificates.names import is_address

CA_DAYS, BROKER_DAYS = 20 * 365, 365

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
"""Of every certificate. A node that never had the time checks dates by the day of its build, so a
certificate must not begin on the day it is made; a wrong clock of ours does no harm, too."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Facts:
    """The content of a certificate: its names, and its end (Unix s)."""

    names: tuple[str, ...]
    ends: float


def new_authority(now: float) -> Pair:
    """A CA that signs only leaves. Its name is random, since listeners see it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _named(f"Noria {token_hex(4)}")
    built = (
        _begun(name, key.public_key(), name, now, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Pair(built.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM), _pem(key))


def issue(authority: Pair, names: Iterable[str], now: float) -> Pair:
    """A certificate of ``authority`` for a broker under ``names``, with a new key.

    Raises ValueError when the authority cannot be read, has ended, or its key is another's.
    """
    ca = x509.load_pem_x509_certificate(authority.certificate)
    signer = load_pem_private_key(authority.key, None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise ValueError("the key of the CA is not an elliptic curve's")
    if signer.public_key() != ca.public_key():
        raise ValueError("the key of the CA is another certificate's")
    key = ec.generate_private_key(ec.SECP256R1())
    # Not longer than its CA, which devices check as well.
    days = min(BROKER_DAYS, int((ca.not_valid_after_utc.timestamp() - now) // 86_400))
    if days < 1:
        raise ValueError(f"the CA ended on {ca.not_valid_after_utc.date()}")
    proven = [
        x509.IPAddress(ip_address(name)) if is_address(name) else x509.DNSName(name)
        for name in names
    ]
    built = (
        _begun(_named("Noria broker"), key.public_key(), ca.subject, now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(proven), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    return Pair(built.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM), _pem(key))


def read(pem: bytes) -> Facts:
    """The facts of the first certificate in a PEM text. Raises ValueError when it is none."""
    certificate = x509.load_pem_x509_certificate(pem)
    names = tuple[str, ...]()
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            value = extension.value
            addresses = value.get_values_for_type(x509.IPAddress)
            names = (*value.get_values_for_type(x509.DNSName), *map(str, addresses))
    return Facts(names, certificate.not_valid_after_utc.timestamp())


def der(pem: bytes) -> list[bytes]:
    """The certificates of a PEM text, DER. Raises ValueError when there is none."""
    return [c.public_bytes(Encoding.DER) for c in x509.load_pem_x509_certificates(pem)]


def _begun(
    subject: x509.Name, key: ec.EllipticCurvePublicKey, issuer: x509.Name, now: float, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGIN)
        .not_valid_after(datetime.fromtimestamp(int(now), UTC) + timedelta(days=days))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False,
        key_cert_sign=signs_certificates, crl_sign=False, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

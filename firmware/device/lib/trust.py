"""TLS under the broker's own CA, with certificate and host name verified."""

import binascii

try:
    import tls
except ImportError:  # CPython
    import ssl as tls


def wrapped(raw, host, ca):
    """The connected socket ``raw`` under TLS to ``host``, whose CA is the PEM text ``ca``.

    Raises OSError, or ValueError for a certificate that does not verify or an invalid ``ca``.
    """
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED  # pyright: ignore[reportAttributeAccessIssue] - the stubs mix tls with CPython's enum
    der = _der(ca)
    try:
        context.load_verify_locations(cadata=der)
    except TypeError:
        context.load_verify_locations(der)  # MicroPython's tls, unlike its ssl, by position only
    # Without server_hostname the certificate's name would not be checked.
    return context.wrap_socket(raw, server_hostname=host)


def _der(pem):
    """The first certificate of a PEM text as DER, which MicroPython needs. Raises ValueError."""
    parts = pem.split("-----BEGIN CERTIFICATE-----")
    if len(parts) < 2:
        raise ValueError("broker.ca is no PEM certificate")
    body = parts[1].split("-----END CERTIFICATE-----")[0]
    return binascii.a2b_base64("".join(body.split()))

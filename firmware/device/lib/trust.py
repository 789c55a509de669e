"""TLS under the broker's own CA, with certificate and host name verified."""

import binascii

try:
    import tls
except ImportError:  # CPython
    import ssl as tls


def wrapped(raw, host, ca):
    """The connected socket ``raw`` under TLS to ``host``. ``ca``: text of one or more CAs.

    Raises OSError, or ValueError for a certificate that does not verify or an invalid ``ca``.
    """
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED  # pyright: ignore[reportAttributeAccessIssue] - the stubs mix tls with CPython's enum
    known = bodies(ca)
    if not known:
        raise ValueError("broker.ca is no PEM certificate")
    for body in known:
        der = binascii.a2b_base64(body)  # MicroPython needs DER
        try:
            context.load_verify_locations(cadata=der)
        except TypeError:
            context.load_verify_locations(der)  # MicroPython's tls, unlike its ssl, by position
    # Without server_hostname the certificate's name would not be checked.
    return context.wrap_socket(raw, server_hostname=host)


def bodies(ca):
    """The base64 of each certificate in ``ca``: PEM, or base64 of DER with spaces between."""
    if "-----" not in ca:
        return ca.split()
    parts = ca.split("-----BEGIN CERTIFICATE-----")[1:]
    return ["".join(part.split("-----END")[0].split()) for part in parts]

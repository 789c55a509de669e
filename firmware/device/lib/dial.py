"""The beginning of a connection to a broker: needed once, then unloaded."""

import socket
import struct

from micropython import const

from lib import trust
from lib.packets import framed, text

_CONNECT = const(0x10)
_CONNACK = const(0x20)
_KEEPALIVE_S = const(120)
_REFUSALS = ("", "protocol version", "client id", "server unavailable", "login", "not authorised")


def opened(host, port, ca, timeout_s):
    """(TCP socket, that socket or TLS over it when there is a ``ca``), connected.

    Raises OSError, or ValueError for a certificate that does not verify.
    """
    address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0][-1]
    raw = socket.socket()
    try:
        raw.settimeout(timeout_s)
        raw.connect(address)
        return raw, trust.wrapped(raw, host, ca) if ca else raw
    except BaseException:
        raw.close()
        raise


def connect_packet(client_id, login, password, will):
    """CONNECT with a clean session. ``will``: (topic, payload) or None."""
    flags, payload = 0x02, text(client_id)
    if will:
        flags |= 0x04 | 0x20  # will, retained, QoS 0
        payload += text(will[0]) + text(will[1])
    if login is not None:
        flags |= 0x80
        payload += text(login)
        if password is not None:
            flags |= 0x40
            payload += text(password)
    body = text("MQTT") + struct.pack(">BBH", 4, flags, _KEEPALIVE_S) + payload
    return framed(_CONNECT, body)


def refusal(kind, body):
    """Why a broker that answered so does not accept the connection; empty if it does."""
    if kind != _CONNACK or len(body) != 2:
        return "no CONNACK"
    code = body[1]
    return _REFUSALS[code] if code < len(_REFUSALS) else "code %d" % code

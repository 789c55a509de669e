"""Names and addresses by which devices reach the broker, as its certificate has them."""

import contextlib
import re
import socket
from collections.abc import Iterable
from ipaddress import ip_address

_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*")  # fmt: skip  # noqa: E501 - RFC 1123, and underscores, which routers give out
_LOCAL = ("localhost", "127.0.0.1", "::1")
_ANYWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses for documentation (RFC 5737, RFC 3849): nothing is sent there."""


def normal(text: str) -> str:
    """A host name in lower case, or an address in its usual form. Raises ValueError."""
    with contextlib.suppress(ValueError):
        return str(ip_address(text.strip("[]")))
    name = text.lower().rstrip(".")
    if not _NAME.fullmatch(name) or re.fullmatch(r"[0-9.]+", name):
        raise ValueError(f"{text!r} is no host name and no address")
    return name


def is_address(name: str) -> bool:
    """Whether a name is an IP address."""
    with contextlib.suppress(ValueError):
        ip_address(name)
        return True
    return False


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a listener on ``host``."""
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def is_only_here(host: str) -> bool:
    """Whether no other machine can connect to ``host``: loopback, or the mark of all interfaces."""
    return is_loopback(host) or host in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound


def wanted(given: Iterable[str], listen_host: str) -> tuple[str, ...]:
    """The names for a certificate: the given ones, and the loopback's.

    Where none is given, those that this machine has: its host name, NAME.local (mDNS), and the
    addresses of its default routes now. Not otherwise: whoever connects reads them.
    ``listen_host``: of the listener, an address of one interface, or of all.
    """
    found = [*(tuple(given) or (*_own_names(), *_own_addresses())), *_LOCAL]
    if listen_host not in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        found.insert(0, listen_host)
    kept = dict[str, None]()
    for name in found:
        with contextlib.suppress(ValueError):
            kept[normal(name)] = None
    return tuple(kept)


def _own_names() -> list[str]:
    name = socket.gethostname()
    return [name, f"{name.partition('.')[0]}.local"]


def _own_addresses() -> list[str]:
    found = list[str]()
    for family, somewhere in _ANYWHERE:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((somewhere, 9))  # chooses a route; a datagram socket sends nothing yet
            found.append(probe.getsockname()[0])
    return found


def covers(names: Iterable[str], host: str) -> bool:
    """Whether a certificate with ``names`` proves ``host`` (RFC 6125: ``*`` is one label)."""
    try:
        host = normal(host)
    except ValueError:
        return False
    known = {name.lower() for name in names}
    return host in known or f"*.{host.partition('.')[2]}" in known

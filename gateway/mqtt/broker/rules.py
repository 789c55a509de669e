"""The logins of the private broker, and the topics that each may write and read."""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field

from gateway.domain import envelope
from gateway.domain.registry import Registry

GATEWAY, ADMIN, READER = "noria-gateway", "noria-admin", "noria-reader"
"""Our own users: none can be a device's id, which has no hyphen."""


def login(device_key: bytes) -> str:
    """A device's broker password, derived from its key (32 bytes); user and client id are its id.

    It reveals nothing about the key to those who read it on a connection without TLS.
    """
    digest = hmac.new(device_key, b"noria-broker-1", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


@dataclass(frozen=True, slots=True)
class Login:
    """A user, also its client id, with password and topic filters; other topics are denied."""

    user: str
    password: str = field(repr=False)
    write: tuple[str, ...] = ()
    read: tuple[str, ...] = ()


def own_logins(gateway: str, admin: str, reader: str) -> dict[str, Login]:
    """Our own users, with these passwords. ``reader`` is for integrations that read live topics."""
    control = ("$CONTROL/dynamic-security/#",)
    return {
        GATEWAY: Login(GATEWAY, gateway, ("noria/1/#",), ("noria/1/#",)),
        ADMIN: Login(ADMIN, admin, control, control),
        READER: Login(READER, reader, (), ("noria/1/live/#",)),
    }


def device_logins(registry: Registry) -> dict[str, Login]:
    """A login for every device that has a key and is not revoked.

    It may write ``up`` and ``status``, and read ``ack``, ``down`` and the parts of a release.
    """
    logins: dict[str, Login] = {}
    for device in registry.devices:
        row = registry.device(device)
        if row is None or row.revoked or row.key is None:
            continue
        logins[device] = Login(
            user=device,
            password=login(row.key),
            write=(envelope.up_topic(device), f"noria/1/{device}/status"),
            read=(
                envelope.ack_topic(device),
                envelope.down_topic(device),
                f"noria/1/{device}/part/+/+",
            ),
        )
    return logins

"""Where a broker is, and the login to use there."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Address:
    """A broker to connect to. ``ca`` is a PEM file; empty: the system's authorities."""

    host: str
    port: int
    client_id: str
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca: str = ""


def address_of(settings: Settings) -> Address:
    """The address that ``broker`` names (a URL, not ``auto``)."""
    url = urlsplit(settings.broker)
    tls = url.scheme == "mqtts"
    username = unquote(url.username or "")
    return Address(
        host=url.hostname or "",
        port=url.port or (8883 if tls else 1883),
        # Brokers with use_username_as_clientid replace it by the user, which is then ours alone.
        client_id=f"noria-gateway-{settings.gateway_id}",
        username=username,
        password=settings.broker_password,
        tls=tls,
        ca=settings.broker_ca,
    )

"""Where a broker is, and the login to use there."""

import ssl
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho

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

    def configure(self, client: paho.Client) -> None:
        """Set login and TLS of a client that will connect here."""
        if self.username:
            client.username_pw_set(self.username, self.password)
        if self.tls:
            context = ssl.create_default_context(cafile=self.ca or None)
            client.tls_set_context(context)  # pyright: ignore[reportUnknownMemberType] - untyped in paho


def parse_address(url_text: str, client_id: str = "", password: str = "", ca: str = "") -> Address:
    """The address of a URL such as ``mqtts://user@host:8883``. Raises ValueError."""
    url = urlsplit(url_text)
    if url.scheme not in ("mqtt", "mqtts") or not url.hostname or url.password:
        raise ValueError("use mqtt://host:1883 or mqtts://host:8883, no password")
    tls, user = url.scheme == "mqtts", unquote(url.username or "")
    return Address(
        url.hostname, url.port or (8883 if tls else 1883), client_id, user, password, tls, ca
    )


def address_of(settings: Settings) -> Address:
    """The address that the setting ``broker`` names (a URL, not ``auto``)."""
    return parse_address(
        settings.broker,
        # Brokers with use_username_as_clientid replace it by the user, which is then ours alone.
        client_id=f"noria-gateway-{settings.gateway_id}",
        password=settings.broker_password,
        ca=settings.broker_ca,
    )

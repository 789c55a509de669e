"""The port and CAs of the broker that devices are given by ``down``, and those that they hold."""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from gateway.database.tables import metadata
from gateway.domain.registry import Registry
from gateway.errors import CertificateError
from gateway.mqtt.certificates import facts
from gateway.settings import Settings, listen_address

MOST_CAS = 2

broker_trust = sa.Table(
    "broker_trust",
    metadata,
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("port", sa.Integer, nullable=False),
    sa.Column("ca", sa.Text, nullable=False),  # base64 of DER, spaces between
    sa.Column("name", sa.Text, nullable=False),  # hash of both, as the device answers it
    sa.Column("held", sa.Text, nullable=False),  # the name that it answered last; else empty
    sa.Column("held_n", sa.Integer, nullable=False),  # of the ``down`` that it answered
)
"""One row for each device that was ever given some."""


@dataclass(frozen=True, slots=True)
class BrokerTrust:
    """``ca``: base64 of each certificate. ``name``: 8 hex digits of the hash of port and CAs."""

    port: int
    ca: tuple[str, ...]

    @property
    def name(self) -> str:
        """As the node computes it (firmware/device/node/exchange/trust.py)."""
        return hashlib.sha256(f"{self.port} {' '.join(self.ca)}".encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Given:
    """What a device was given, and whether it answered that it is in force."""

    trust: BrokerTrust
    held: bool

    def member(self) -> dict[str, object]:
        """``tls`` of its ``down``."""
        return {"port": self.trust.port, "ca": list(self.trust.ca)}


def tls_port(settings: Settings) -> int | None:
    """The port at which the broker speaks TLS; None where it does not."""
    if settings.broker != "auto":
        from gateway.mqtt.address import address_of  # loads paho, which the server spares

        address = address_of(settings)
        return address.port if address.tls else None
    if facts.source(settings) is None:
        return None
    return listen_address("broker_listen", settings.broker_listen)[1]


def present(settings: Settings) -> BrokerTrust:
    """What devices should hold now. Raises CertificateError, naming the remedy."""
    from gateway.mqtt.certificates import authority  # loads cryptography
    from gateway.mqtt.certificates.folder import Folder

    port, source = tls_port(settings), facts.source(settings)
    if port is None:
        raise CertificateError(
            "the broker has no TLS: 'noria certificates make' makes it, 'noria certificates show' "
            "says what there is"
        )
    if source is not None and source.own:
        pem = Folder(settings).bundle().encode()
    else:
        path = settings.broker_ca or settings.broker_certificate
        try:
            pem = Path(path).read_bytes()
        except OSError as error:
            name = "broker_ca" if settings.broker_ca or source is None else "broker_certificate"
            raise CertificateError(
                f"{name} = {path!r}: {error.strerror}: name the PEM file of the broker's CA"
            ) from error
    try:
        ca = tuple(base64.b64encode(der).decode("ascii") for der in authority.der(pem))
    except ValueError as error:
        raise CertificateError(f"the CA of the broker cannot be read: {error}") from error
    if len(ca) > MOST_CAS:
        raise CertificateError(f"{len(ca)} certificates of CAs: a device keeps {MOST_CAS}")
    return BrokerTrust(port, ca)


def give(connection: sa.Connection, device: str, trust: BrokerTrust) -> None:
    """Give ``trust`` to a device; what it holds stays known."""
    values = {"port": trust.port, "ca": " ".join(trust.ca), "name": trust.name}
    where = broker_trust.c.device == device
    if not connection.execute(sa.update(broker_trust).where(where).values(**values)).rowcount:
        row = {"device": device, **values, "held": "", "held_n": 0}
        connection.execute(sa.insert(broker_trust).values(**row))


def load(connection: sa.Connection, device: str | None = None) -> dict[str, Given]:
    """By device."""
    query = sa.select(broker_trust)
    if device is not None:
        query = query.where(broker_trust.c.device == device)
    return {
        row.device: Given(BrokerTrust(row.port, tuple(row.ca.split())), row.held == row.name)
        for row in connection.execute(query)
    }


def save_answer(connection: sa.Connection, device: str, n: int, name: str) -> None:
    """A device answered ``down`` number ``n``: what is called ``name`` is in force. Backlog comes
    newest first, so an answer to an earlier number changes nothing."""
    connection.execute(
        sa.update(broker_trust)
        .where(broker_trust.c.device == device, broker_trust.c.held_n <= n)
        .values(held=name, held_n=n)
    )


def waiting(connection: sa.Connection, registry: Registry, trust: BrokerTrust) -> list[str]:
    """The devices with a key, not revoked, that have not answered that they hold ``trust``."""
    known = load(connection)
    return sorted(
        device
        for device in keyed(registry)
        if device not in known or known[device].trust != trust or not known[device].held
    )


def keyed(registry: Registry) -> Iterable[str]:
    """The devices that may connect."""
    for device, rows in registry.devices.items():
        if rows[-1].key is not None and not rows[-1].revoked:
            yield device

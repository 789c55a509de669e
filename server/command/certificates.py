"""``noria certificates``: the private broker's CA and certificate."""

import hashlib
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.database.engine import open_database
from gateway.errors import CertificateError
from gateway.mqtt.certificates import authority, facts, names
from gateway.mqtt.certificates.folder import BROKER, CA, Folder
from gateway.registry import rows
from gateway.settings import Settings, listen_address
from server.command.config import settings_of, with_config
from server.config_file import change

_TLS_PORT = 8883


@click.group()
def certificates() -> None:
    """TLS of the private broker: its CA, its certificate, and which listeners are plain."""


@certificates.command()
@with_config
def show(config: str | None) -> None:
    """Show who can connect how, the names in the certificate, and when it ends."""
    settings = settings_of(config)
    source = facts.source(settings)
    click.echo(f"TLS          {settings.broker_listen if source else 'no'}")
    click.echo(f"Plain        {', '.join(facts.plain(settings)) or 'this machine alone'}")
    if source is None:
        return
    click.echo(f"Certificate  {_ends(Path(source.certificate))}")
    if source.own:
        folder = Folder(settings)
        click.echo(f"CA           {_ends(folder.certificate(CA))}")
        digest = hashlib.sha256(b"".join(authority.der(folder.bundle().encode()))).hexdigest()
        click.echo(f"             {digest[:16]} (SHA-256 of what devices hold)")
    warning = facts.warning(settings, time.time())
    if warning:
        click.echo(f"Attention    {warning}")


def _ends(path: Path) -> str:
    try:
        known = authority.read(path.read_bytes())
    except (OSError, ValueError) as error:
        return f"{path} cannot be read: {error}"
    day = datetime.fromtimestamp(known.ends, UTC).date()
    return f"ends {day}" + (f", for {', '.join(known.names)}" if known.names else "")


@certificates.command()
@click.option(
    "--name", "given", metavar="NAME", multiple=True,
    help="Name or address by which devices reach this machine, again for each.",
)  # fmt: skip
@with_config
def make(given: tuple[str, ...], config: str | None) -> None:
    """Make a CA for an installation without one, and have the private broker use TLS.

    Where it listened without TLS for devices, it goes on doing so beside the new listener, until
    they have moved. Writes broker_listen, broker_plain_listen and broker_names into the
    configuration; the running gateway has to be started again.
    """
    settings = settings_of(config)
    if settings.broker != "auto":
        raise CertificateError(
            f"broker = {settings.broker!r}: that broker has its own certificate; write its "
            "URL with mqtts:// and name the CA with broker_ca"
        )
    if settings.broker_certificate:
        raise CertificateError(
            f"broker_certificate = {settings.broker_certificate!r}: it has TLS already"
        )
    for name in given:
        _check(name)
    folder = Folder(settings)
    folder.make(CA, time.time())
    try:
        changes = _changes(settings, given)
        if changes:
            change(settings.source, changes)
        settings = settings_of(str(settings.source))
        host, _ = listen_address("broker_listen", settings.broker_listen)
        folder.issue(names.wanted(settings.broker_names, host), time.time())
    except BaseException:
        for path in (folder.certificate(CA), folder.key(CA)):
            path.unlink(missing_ok=True)  # no device holds it yet
        raise
    for name, value in changes.items():
        click.echo(f"{settings.source}: {name} = {value}")
    click.echo(_made(settings, folder))


def _check(name: str) -> None:
    try:
        names.normal(name)
    except ValueError as error:
        raise CertificateError(
            f"--name: {error}: write it as devices do, without a port"
        ) from error


def _changes(settings: Settings, given: tuple[str, ...]) -> dict[str, object]:
    """What the configuration needs for TLS, in which its devices without a CA are not cut off."""
    changes: dict[str, object] = {}
    if given:
        changes["broker_names"] = list(dict.fromkeys((*given, *settings.broker_names)))
    if settings.broker_tls == "off":
        changes["broker_tls"] = "auto"
    host, port = listen_address("broker_listen", settings.broker_listen)
    if names.is_loopback(host):
        if given:
            changes["broker_listen"] = f"0.0.0.0:{_TLS_PORT}"
    elif _devices(settings) and not settings.broker_plain_listen:
        changes["broker_plain_listen"] = settings.broker_listen
        listen = f"[{host}]" if ":" in host else host
        changes["broker_listen"] = f"{listen}:{_TLS_PORT + (port == _TLS_PORT)}"
    return changes


def _devices(settings: Settings) -> int:
    """How many devices may connect."""
    registry = rows.load(open_database(settings))
    newest = [rows[-1] for rows in registry.devices.values()]
    return sum(1 for row in newest if row.key is not None and not row.revoked)


def _made(settings: Settings, folder: Folder) -> str:
    lines = [
        f"Made {folder.path}: a CA and a certificate. Who has ca.key can pose as your broker:",
        "back the folder up, show it to nobody.",
    ]
    if facts.source(settings) is None:
        lines.append(
            f"broker_listen = {settings.broker_listen} is this machine alone, without TLS: for "
            "devices set it to 0.0.0.0:8883, and broker_names to this machine's name."
        )
    else:
        lines.append("Start the gateway again. Routers and firewalls must let its port through.")
    number = _devices(settings) if settings.broker_plain_listen else 0
    if number:
        lines.append(
            f"{number} devices go on without TLS at {settings.broker_plain_listen} until each "
            "holds the CA."
        )
    return "\n".join(lines)


@certificates.command()
@with_config
def renew(config: str | None) -> None:
    """Sign the broker's certificate again now; a running gateway serves it within a second.

    The gateway does this by itself 60 days before the end, and when this machine's addresses or
    broker_names change. Devices notice nothing: they hold the CA.
    """
    settings = settings_of(config)
    source = facts.source(settings)
    if source is None or not source.own:
        raise CertificateError(
            "the private broker has no certificate of Noria's CA: 'noria certificates show' says "
            "what it has, 'noria certificates make' makes one"
        )
    folder = Folder(settings)
    host, _ = listen_address("broker_listen", settings.broker_listen)
    folder.issue(names.wanted(settings.broker_names, host), time.time())
    click.echo(f"Certificate  {_ends(folder.certificate(BROKER))}")

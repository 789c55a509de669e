"""``noria certificates``: the private broker's CA and certificate."""

import hashlib
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.database.engine import open_database
from gateway.devices import broker_trust, commands, state
from gateway.devices.state import DesiredState
from gateway.errors import CertificateError
from gateway.mqtt.certificates import authority, facts, names
from gateway.mqtt.certificates.folder import BROKER, CA, NEXT, Folder
from gateway.registry import rows
from gateway.runtime.clock import Clock
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
    click.echo(f"Devices      {_holders(settings)}")
    warning = facts.warning(settings, time.time())
    if warning:
        click.echo(f"Attention    {warning}")


def _holders(settings: Settings) -> str:
    """How many devices answered that they hold the present CA and port; which have not."""
    with open_database(settings).connect() as connection:
        registry = rows.load_from(connection)
        left = broker_trust.waiting(connection, registry, broker_trust.present(settings))
        states = state.load(connection)
    total = len(list(broker_trust.keyed(registry)))
    found = f"{total - len(left)} of {total} answered that they hold it"
    if not left:
        return found
    return found + "; not yet: " + ", ".join(_progress(one, states.get(one)) for one in left)


def _progress(device: str, known: DesiredState | None) -> str:
    if known is None or known.trust is None:
        return f"{device} (not given)"
    answer = known.answer
    if answer is None or answer.n < known.n:
        return device
    reasons = {
        "tls": "on trial",
        "tls_back": "tried three times, went back",
        "tls_bad": "could not use it",
    }
    if answer.ok:
        return f"{device} (its firmware cannot: by cable)"
    return f"{device} ({reasons.get(answer.code, answer.code)})"


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
    number = _offer(settings) if settings.broker_plain_listen else 0
    click.echo(_made(settings, folder, number))


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
    return len(list(broker_trust.keyed(rows.load(open_database(settings)))))


def _offer(settings: Settings, only: tuple[str, ...] = ()) -> int:
    """Give the present port and CAs to devices that do not hold them; returns to how many."""
    trust = broker_trust.present(settings)
    now = Clock(settings.clock_speed, settings.clock_origin).now()
    with open_database(settings).begin() as connection:
        registry = rows.load_from(connection)
        left = only or broker_trust.waiting(connection, registry, trust)
        for device in left:
            commands.set_trust(connection, registry, device, trust, now)
    return len(left)


def _made(settings: Settings, folder: Folder, number: int) -> str:
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
    if number:
        lines.append(
            f"{number} devices go on without TLS at {settings.broker_plain_listen}. The gateway "
            "gives them port and CA; who runs this version's firmware moves by itself, the others "
            "need a cable. 'noria certificates show' counts them."
        )
    return "\n".join(lines)


@certificates.command()
@with_config
def renew(config: str | None) -> None:
    """Sign the broker's certificate again now; a running gateway serves it within a second.

    The gateway does this by itself 60 days before the end, and when a name of broker_names is
    missing (without any: this machine's name or address). Devices notice nothing: they hold the CA.
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


@certificates.command()
@click.argument("devices", metavar="[DEVICE]...", nargs=-1)
@with_config
def give(devices: tuple[str, ...], config: str | None) -> None:
    """Give devices the broker's port and CAs again: those named, else all that do not hold them.

    A device tries the new port and CAs; after three connections that fail it goes back.
    """
    number = _offer(settings_of(config), devices)
    click.echo(f"Given to {number} devices; each takes them when it wakes.")


@certificates.command()
@click.option(
    "--finish", is_flag=True, help="The new CA signs from now on; the old one is dropped."
)
@click.option(
    "--anyway", is_flag=True, help="With --finish: devices that do not hold it need a cable."
)
@click.option("--give-up", is_flag=True, help="Keep the old CA; drop the new one.")
@with_config
def roll(finish: bool, anyway: bool, give_up: bool, config: str | None) -> None:
    """Change the CA in two steps, without a cable: for a key that somebody may have read.

    First every device is given the new CA beside the old one. When all have answered that they
    hold both, --finish lets the new one sign, and devices drop the old one.
    """
    settings = settings_of(config)
    source = facts.source(settings)
    if source is None or not source.own:
        raise CertificateError("the broker has no CA of Noria's: see 'noria certificates show'")
    folder = Folder(settings)
    if give_up:
        folder.drop_next()
    elif finish:
        _finish(settings, folder, anyway)
    elif folder.has(NEXT):
        raise CertificateError(
            "a new CA is on its way already: 'noria certificates show' says to whom; then --finish "
            "or --give-up"
        )
    else:
        folder.make(NEXT, time.time())
    number = _offer(settings)
    click.echo(f"{number} devices are given {'one CA' if finish or give_up else 'both CAs'}.")
    if not (finish or give_up):
        click.echo("When 'noria certificates show' counts all of them: roll --finish.")


def _finish(settings: Settings, folder: Folder, anyway: bool) -> None:
    if not folder.has(NEXT):
        raise CertificateError("no new CA is on its way: 'noria certificates roll' makes it")
    with open_database(settings).connect() as connection:
        registry = rows.load_from(connection)
        left = broker_trust.waiting(connection, registry, broker_trust.present(settings))
    if left and not anyway:
        raise CertificateError(
            f"{', '.join(left)}: not known to hold the new CA, and would refuse the broker: wait, "
            "renew their config.json by cable, revoke them, or say --anyway"
        )
    folder.promote()
    host, _ = listen_address("broker_listen", settings.broker_listen)
    folder.issue(names.wanted(settings.broker_names, host), time.time())
    click.echo(f"The new CA signs. Back up {folder.path} now; delete former-ca.key there.")

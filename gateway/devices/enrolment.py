"""A new device: its identity, its key, its row, and its board's configuration file."""

import json
import os
import secrets
import string
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from gateway.domain.registry import Device, Registry, Sensor
from gateway.errors import RegistryError, SettingError
from gateway.mqtt import broker
from gateway.mqtt.address import address_of
from gateway.mqtt.certificates import facts, names
from gateway.mqtt.certificates.facts import Source
from gateway.registry import rows
from gateway.registry.check import problems
from gateway.registry.fields import draw_id
from gateway.settings import Settings, listen_address

_SSID_BYTES = 32


def new_device(
    known: Registry, tank: str, sensor: Sensor | None = None, uplink: str | None = None
) -> Device:
    """A device for a known tank, with a random id and a random key of 32 bytes.

    Raises RegistryError when it would contradict the registry.
    """
    row = known.tank(tank)
    if row is None:
        raise RegistryError(
            f"tank = {tank!r}: no tank has this id: describe it in a file first, then "
            "'noria registry import FILE'"
        )
    fitting: Sensor = "hx711" if row.kind == "station" else "a02yyuw"
    device = Device(
        draw_id(known.devices),
        tank,
        key=secrets.token_bytes(32),
        uplink=uplink,
        sensor=sensor or fitting,
    )
    for problem in problems(Registry(devices={device.id: (device,)}), known):
        raise RegistryError(problem)
    return device


def enrol(connection: sa.Connection, device: Device, now: float) -> None:
    """Add its row; a running gateway accepts its messages within 2 s."""
    rows.put(connection, Registry(devices={device.id: (device,)}), now)


def revoke(connection: sa.Connection, device: str, now: float) -> None:
    """Refuse every message of this device from now on. Raises RegistryError when it is unknown."""
    enrol(connection, replace(_known(connection, device), revoked=True, since=0.0), now)


def set_public_key(connection: sa.Connection, device: str, key: bytes, now: float) -> None:
    """Record the public key of its board, from now on. Raises RegistryError when it is unknown."""
    enrol(connection, replace(_known(connection, device), public_key=key, since=0.0), now)


def _known(connection: sa.Connection, device: str) -> Device:
    row = rows.load_from(connection).device(device)
    if row is None:
        raise RegistryError(f"device = {device!r}: no device has this id: see 'noria device list'")
    return row


def board_configuration(
    device: Device, settings: Settings, wifi: Mapping[str, str], host: str | None = None,
    release_floor: int = 0,
) -> dict[str, object]:  # fmt: skip
    """The content of the board's ``config.json`` (firmware/README.md), with its secrets.

    ``wifi``: network name -> password. ``host``: the broker's address for the board, where it
    differs from the settings. ``release_floor``: the lowest release that it takes. Raises
    SettingError when the CA cannot be read, does not prove ``host``, or a network cannot exist;
    CertificateError when our own CA cannot be read.
    """
    assert device.key is not None, "only a device with a key has a board"
    for ssid, password in wifi.items():
        _check_network(ssid, password)
    where = broker_for(settings, host)
    return {
        "device": device.id,
        "key": device.key.hex(),
        "wifi": [{"ssid": ssid, "password": password} for ssid, password in wifi.items()],
        "broker": {**where, "login": device.id, "password": broker.login(device.key)},
        "sensor": device.sensor,
        **({"release_key": settings.release_key} if settings.release_key else {}),
        **({"release_floor": release_floor} if settings.release_key and release_floor else {}),
    }


def _check_network(ssid: str, password: str) -> None:
    """IEEE 802.11: a name has 1 to 32 bytes. WPA2: a password 8 to 63, or a key of 64 hex digits.

    Raises SettingError.
    """
    size = len(ssid.encode("utf-8", "surrogatepass"))
    if not 1 <= size <= _SSID_BYTES:
        raise SettingError(
            f"--wifi {ssid!r}: a network's name has 1 to {_SSID_BYTES} bytes, this one {size} "
            "(an emoji takes 4, a letter with an accent 2)"
        )
    size = len(password.encode("utf-8", "surrogatepass"))
    is_key = size == 64 and set(password) <= set(string.hexdigits)
    if password and not (8 <= size <= 63 or is_key):
        raise SettingError(
            f"--wifi {ssid!r}: its password has {size} bytes; WPA2 has 8 to 63, an open network "
            "none"
        )


def broker_for(settings: Settings, host: str | None) -> dict[str, str | int]:
    """Host, port and, where it has TLS, CA of the broker as a board needs them.

    Raises SettingError when the certificate does not prove ``host``, or a CA cannot be read.
    """
    if settings.broker != "auto":
        address = address_of(settings)
        if address.tls and not settings.broker_ca:
            raise SettingError(
                "broker_ca is empty: a board checks the broker against one CA; name its PEM file"
            )
        ca = settings.broker_ca if address.tls else ""
        return {"host": host or address.host, "port": address.port, **_ca("broker_ca", ca)}
    listen_host, port = listen_address("broker_listen", settings.broker_listen)
    host = host or next(iter(settings.broker_names), listen_host)
    source = facts.source(settings)
    if source is None:
        return {"host": host, "port": port, **_ca("broker_ca", settings.broker_ca)}
    _check_proven(source, host)
    if source.own:
        from gateway.mqtt.certificates.folder import Folder  # loads cryptography

        return {"host": host, "port": port, "ca": Folder(settings).bundle()}
    ca = settings.broker_ca or source.certificate
    return {"host": host, "port": port, **_ca("broker_certificate", ca)}


def _check_proven(source: Source, host: str) -> None:
    """Raise SettingError for a host that the broker's certificate does not have: a board refuses
    it."""
    from gateway.mqtt.certificates import authority  # loads cryptography

    if names.is_only_here(host):
        return  # said elsewhere: no board reaches it
    try:
        known = authority.read(Path(source.certificate).read_bytes()).names
    except (OSError, ValueError):
        return  # the gateway names it as it starts, and signs our own again
    if known and not names.covers(known, host):
        remedy = (
            "add it to broker_names and start the gateway again"
            if source.own
            else "have it added to broker_certificate"
        )
        raise SettingError(
            f"the board would look for the broker at {host}, and refuse its certificate, which is "
            f"for {', '.join(known)}: {remedy}, or name one of these with --broker-host"
        )


def _ca(setting: str, path: str) -> dict[str, str]:
    if not path:
        return {}
    try:
        return {"ca": Path(path).read_text("ascii")}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{setting} = {path!r}: {error}: name a PEM file") from error


def write_configuration(path: Path, configuration: Mapping[str, object]) -> None:
    """Write a new file, readable by its owner only. Raises RegistryError, also where one exists."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise RegistryError(f"{path} is there already: name another folder with --out") from None
    except OSError as error:
        raise RegistryError(f"{path}: {error.strerror}: name another folder with --out") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(configuration, file, indent=2, ensure_ascii=False)
        file.write("\n")

"""Which listeners use TLS and which do not, and what the gateway last noted of the certificate.

Loads neither ``cryptography`` nor MQTT: server and status read it, too.
"""

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from gateway.mqtt.certificates import names
from gateway.settings import Settings, listen_address

WARN_DAYS, WARN_CA_DAYS = 30, 365
_DAY_S = 86_400.0
_FILE = "served.json"


def folder(settings: Settings) -> Path:
    """Where our own CA and certificates are."""
    return settings.data / "certificates"


@dataclass(frozen=True, slots=True)
class Source:
    """The files that the private broker serves; ``own``: Noria signs them itself."""

    certificate: str
    key: str
    own: bool


def source(settings: Settings) -> Source | None:
    """The certificate of the private broker; None where it has no TLS."""
    if settings.broker != "auto":
        return None
    if settings.broker_certificate:
        return Source(settings.broker_certificate, settings.broker_key, own=False)
    host, _ = listen_address("broker_listen", settings.broker_listen)
    where = folder(settings)
    if settings.broker_tls == "off" or names.is_loopback(host):
        return None
    if not (where / "ca.pem").exists():
        return None
    return Source(str(where / "broker.pem"), str(where / "broker.key"), own=True)


def has_tls(settings: Settings) -> bool:
    """Whether devices and gateway can use TLS with the broker."""
    return settings.broker.startswith("mqtts:") or source(settings) is not None


def plain(settings: Settings) -> list[str]:
    """Where others than this machine may connect without TLS, as ``host:port``."""
    if settings.broker != "auto":
        url = urlsplit(settings.broker)
        is_open = url.scheme == "mqtt" and not names.is_loopback(url.hostname or "")
        return [f"{url.hostname}:{url.port or 1883}"] if is_open else []
    listeners = [settings.broker_listen] if source(settings) is None else []
    listeners += [settings.broker_plain_listen] if settings.broker_plain_listen else []
    return [
        one for one in listeners if not names.is_loopback(listen_address("broker_listen", one)[0])
    ]


@dataclass(frozen=True, slots=True)
class Served:
    """What the gateway last noted of the certificate, and of our own CA: ``ends`` and ``ca_ends``
    in Unix s; ``ca_ends`` is 0 for another's CA."""

    names: tuple[str, ...] = ()
    ends: float = 0.0
    trouble: str = ""
    ca_ends: float = 0.0


def note(settings: Settings, served: Served) -> None:
    """Write it down for other processes; a full disk must not stop the broker."""
    where = folder(settings)
    with contextlib.suppress(OSError):
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = where / f"{_FILE}.new"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(served), file)
        fresh.replace(where / _FILE)


def noted(settings: Settings) -> Served | None:
    """What was noted last; None where nothing was."""
    try:
        given: Any = json.loads((folder(settings) / _FILE).read_text("utf-8"))
        known = tuple(str(name) for name in cast(list[object], given["names"]))
        ca_ends = float(given.get("ca_ends", 0.0))
        return Served(known, float(given["ends"]), str(given["trouble"]), ca_ends)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def warning(settings: Settings, now: float) -> str:
    """What a person must do: 30 days before the certificate ends, a year before our CA does, since
    each device has to take the next one. Empty: nothing."""
    where = source(settings)
    known = noted(settings) if where else None
    if where is None or known is None:
        return ""
    left, ca_left = (known.ends - now) / _DAY_S, (known.ca_ends - now) / _DAY_S
    if left > WARN_DAYS:
        if where.own and known.ca_ends and ca_left <= WARN_CA_DAYS:
            return (
                f"the CA {folder(settings) / 'ca.pem'} ends in {ca_left:.0f} days: "
                "'noria certificates roll' brings the next one to every device"
            )
        return ""
    state = f"ends in {left:.0f} days" if left > 0 else "has ended: devices refuse the broker"
    remedy = (
        f"the gateway could not sign the next one: {known.trouble}"
        if where.own and known.trouble
        else "the gateway signs the next one when it runs: noria up"
        if where.own
        else "put its successor there; the broker reads it again by itself"
    )
    return f"the certificate {where.certificate} {state}; {remedy}"

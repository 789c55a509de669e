"""The folder ``certificates`` of the data folder: our CA, the broker's certificate, a CA to come.

The CA's key is not encrypted: the gateway signs the broker's next certificate by itself, at night
and after a power cut. Who can read it can read the devices' keys in the same data folder, too.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from gateway.errors import CertificateError
from gateway.mqtt.certificates import authority, facts
from gateway.mqtt.certificates.authority import Pair
from gateway.settings import Settings

RENEW_DAYS = 60
_DAY_S = 86_400.0
_EARLIEST = 1_767_225_600  # 2026-01-01, Unix s: an earlier clock is certainly wrong
CA, NEXT, BROKER = "ca", "next-ca", "broker"


class Folder:
    """Each pair is NAME.pem and NAME.key; ``ca`` signs, ``next-ca`` is on its way to the nodes."""

    def __init__(self, settings: Settings) -> None:
        self.path = facts.folder(settings)

    def has(self, name: str) -> bool:
        """Whether there is a certificate of that name."""
        return self._pem(name).exists()

    def certificate(self, name: str) -> Path:
        """The PEM file of a certificate."""
        return self._pem(name)

    def key(self, name: str) -> Path:
        """The PEM file of its key."""
        return self.path / f"{name}.key"

    def make(self, name: str, now: float) -> None:
        """Make a CA. Raises CertificateError where there is one: nodes hold it."""
        if self.has(name):
            raise CertificateError(f"{self._pem(name)} is there already: devices hold that CA")
        if now < _EARLIEST:
            raise CertificateError(f"this machine's clock says {int(now)} (Unix s): set it first")
        self._write(name, authority.new_authority(now))

    def issue(self, names: Iterable[str], now: float) -> None:
        """Sign a certificate of the broker for ``names``. Raises CertificateError."""
        try:
            signer = Pair(self._pem(CA).read_bytes(), self.key(CA).read_bytes())
            self._write(BROKER, authority.issue(signer, names, now))
        except (OSError, ValueError, TypeError) as error:
            raise CertificateError(
                f"{self.path}: no certificate can be signed ({error}): put {CA}.pem and {CA}.key "
                "back from a backup of the data folder; another CA means a cable to every device"
            ) from error

    def due(self, names: Iterable[str], now: float) -> str:
        """Why the broker's certificate should be signed again; empty where it is good."""
        try:
            known = authority.read(self._pem(BROKER).read_bytes())
            self.key(BROKER).read_bytes()
        except (OSError, ValueError):
            return "there is none that can be read"
        if now < _EARLIEST:
            return ""
        if known.ends - now < RENEW_DAYS * _DAY_S and not self._is_last(known.ends):
            return f"it ends in {(known.ends - now) / _DAY_S:.0f} days"
        missing = [name for name in names if name not in known.names]
        return f"it lacks {', '.join(missing)}" if missing else ""

    def _is_last(self, ends: float) -> bool:
        """Whether the CA ends with the certificate, so that another one would last no longer."""
        try:
            return authority.read(self._pem(CA).read_bytes()).ends - ends < _DAY_S
        except (OSError, ValueError):
            return False

    def bundle(self) -> str:
        """The CAs that a device trusts, PEM: the present and the next. Raises CertificateError."""
        try:
            pems = [self._pem(name).read_text("ascii") for name in (CA, NEXT) if self.has(name)]
            authority.der("".join(pems).encode())
        except (OSError, ValueError) as error:
            raise CertificateError(
                f"{self.path}: the CA cannot be read ({error}): put {CA}.pem back from a backup "
                "of the data folder"
            ) from error
        return "".join(pems)

    def promote(self) -> None:
        """The next CA signs from now on. The former one is kept beside, for a person to delete."""
        for suffix in (".key", ".pem"):  # broken off between the two, it is called again
            if (self.path / f"{NEXT}{suffix}").exists():
                (self.path / f"{CA}{suffix}").replace(self.path / f"former-ca{suffix}")
                (self.path / f"{NEXT}{suffix}").replace(self.path / f"{CA}{suffix}")

    def drop_next(self) -> None:
        """Give up the next CA."""
        for suffix in (".key", ".pem"):
            (self.path / f"{NEXT}{suffix}").unlink(missing_ok=True)

    def _pem(self, name: str) -> Path:
        return self.path / f"{name}.pem"

    def _write(self, name: str, pair: Pair) -> None:
        """The key first: a certificate without its key would be served by nobody."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for suffix, content in ((".key", pair.key), (".pem", pair.certificate)):
            fresh = self.path / f"{name}{suffix}.new"
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self.path / f"{name}{suffix}")

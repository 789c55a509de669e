"""The certificate that the private broker serves: signs it again in time, notices a new one."""

import contextlib
import logging
import time
from dataclasses import replace
from pathlib import Path

from gateway.errors import CertificateError
from gateway.mqtt.certificates import facts, names
from gateway.mqtt.certificates.facts import Served
from gateway.settings import Settings, listen_address

_log = logging.getLogger(__name__)

_CHECK_S = 60.0
_State = tuple[int, int] | None


class ServerCertificate:
    """``source`` is None where the broker has no TLS. Use from one thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.source = facts.source(settings)
        self._checked = -_CHECK_S
        self._trouble = ""
        self._seen: _State = None

    def prepare(self) -> None:
        """Sign one where it is due, before the broker starts. Raises CertificateError without one
        that can be served."""
        if self.source is not None:
            self._renew()
            self._read()
        for where in facts.plain(self._settings):
            _log.warning(_PLAIN, where)

    def changed(self) -> bool:
        """Whether the broker must read its files again. Renews; looks at most once a minute for
        what that takes, at each call for a new file. Never raises."""
        if self.source is None:
            return False
        if time.monotonic() - self._checked >= _CHECK_S:
            self._renew()
        state = self._state()
        if state is None or state == self._seen:
            return False
        try:
            self._read()
        except CertificateError as error:  # half written, or wrong: the broker keeps what it has
            self._seen = state
            self._note(str(error))
            return False
        return True

    def _renew(self) -> None:
        """Sign our own certificate where it is due; a failure is noted and tried again."""
        self._checked = time.monotonic()
        if self.source is None or not self.source.own:
            return
        from gateway.mqtt.certificates.folder import Folder  # loads cryptography

        host, _ = listen_address("broker_listen", self._settings.broker_listen)
        wanted, folder = names.wanted(self._settings.broker_names, host), Folder(self._settings)
        now = time.time()
        why = folder.due(wanted, now)
        if not why:
            self._note("")
            return
        try:
            folder.issue(wanted, now)
        except CertificateError as error:
            if self._trouble != str(error):
                _log.error("the broker's certificate: %s; %s", why, error)
            self._note(str(error))
            return
        self._note("")
        _log.info("signed a new certificate of the broker: %s", why)

    def _read(self) -> None:
        """Note what is served from now on. Raises CertificateError."""
        from gateway.mqtt.certificates import authority

        assert self.source is not None
        state = self._state()
        try:
            known = authority.read(Path(self.source.certificate).read_bytes())
            Path(self.source.key).read_bytes()
        except (OSError, ValueError) as error:
            setting = "certificates" if self.source.own else "broker_certificate, broker_key"
            raise CertificateError(
                f"{setting}: {self.source.certificate} cannot be served ({error}): "
                + (self._trouble or "put a PEM certificate and its key there")
            ) from error
        self._seen = state
        if not self.source.own:
            self._trouble = ""
        facts.note(self._settings, Served(known.names, known.ends, self._trouble, self._ca_ends()))

    def _note(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            known = facts.noted(self._settings) or Served()
            facts.note(self._settings, replace(known, trouble=trouble))

    def _ca_ends(self) -> float:
        """When our own CA ends (Unix s), 0 where that is not known."""
        from gateway.mqtt.certificates import authority

        assert self.source is not None
        if not self.source.own:
            return 0.0
        with contextlib.suppress(OSError, ValueError):
            return authority.read((facts.folder(self._settings) / "ca.pem").read_bytes()).ends
        return 0.0

    def _state(self) -> _State:
        assert self.source is not None
        try:
            paths = Path(self.source.certificate), Path(self.source.key)
            return paths[0].stat().st_mtime_ns, paths[1].stat().st_mtime_ns
        except OSError:
            return None


_PLAIN = (
    "the broker takes connections without TLS at %s from other machines: what devices send can be "
    "read on the way; see 'noria certificates'"
)

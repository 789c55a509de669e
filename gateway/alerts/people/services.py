"""The services that the settings name: an operator's means to reach a person by an address.

A service is ``NAME=URL``, an Apprise URL with ``{to}`` where the person's address belongs. Its name
is what pages show; the URL may hold a token and is never logged or shown.
"""

import re
from collections.abc import Sequence
from urllib.parse import quote

from gateway.alerts.channels.factory import silence_libraries
from gateway.alerts.channels.port import TransportError
from gateway.errors import SettingError

_NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")
_TO = "{to}"
_EXAMPLES = ("someone@example.org", "+33612345678", "123456789", "some-topic")


class Service:
    """One service. ``label`` is its name as people read it: ``sms-2`` becomes ``Sms 2``."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.label = name.replace("-", " ").capitalize()
        self._url = url
        if not any(self.takes(address) for address in _EXAMPLES):
            raise SettingError(
                "this is not an Apprise URL that takes an address at {to}; "
                "for example mail=mailtos://user:password@example.org?to={to}"
            )

    def takes(self, address: str) -> bool:
        """Whether this service can be sent to an address of this form."""
        from gateway.alerts.channels.apprise import reaches

        return reaches(self._with(address), address)

    def send(self, address: str, text: str, title: str) -> None:
        """Send to the address; raises TransportError, whose text does not have it."""
        from gateway.alerts.channels.apprise import AppriseChannel

        try:
            channel = AppriseChannel(self._with(address), self.name)
        except SettingError:
            raise TransportError(f"{self.name}: no such address", permanent=True) from None
        channel.send(text, title)

    def _with(self, address: str) -> str:
        return self._url.replace(_TO, quote(address, safe=""))


def open_services(named: Sequence[str]) -> tuple[Service, ...]:
    """One service for each item of the setting ``services``.

    Raises SettingError that names the item by its position: the item itself may hold a token.
    """
    silence_libraries()
    services: dict[str, Service] = {}
    for place, item in enumerate(named, 1):
        name, _, url = item.strip().partition("=")
        try:
            if not _NAME.fullmatch(name) or url.count(_TO) != 1:
                raise SettingError(
                    "write NAME=URL, with {to} once where a person's address belongs; "
                    "for example mail=mailtos://user:password@example.org?to={to}"
                )
            if name in services:
                raise SettingError(f"the name {name} stands twice: choose another")
            services[name] = Service(name, url)
        except SettingError as error:
            raise SettingError(f"services: item {place}: {error}") from None
    return tuple(services.values())

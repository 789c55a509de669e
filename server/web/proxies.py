"""Reverse proxies in front of the server, whose word about a visitor's address is believed."""

import ipaddress
from collections.abc import Sequence


class Proxies:
    """The addresses and networks of the setting ``trusted_proxies``."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._networks = [ipaddress.ip_network(text) for text in texts]

    def __contains__(self, address: object) -> bool:
        try:
            found = ipaddress.ip_address(str(address))
        except ValueError:
            return False
        return any(found in network for network in self._networks)

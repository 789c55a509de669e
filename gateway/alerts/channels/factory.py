"""The channels that the settings name, checked at start."""

import logging
from collections.abc import Sequence

from gateway.alerts.channels.log import LogChannel
from gateway.alerts.channels.port import Channel
from gateway.errors import SettingError


def open_channels(named: Sequence[str]) -> tuple[Channel, ...]:
    """One channel for each item of the setting ``channels``.

    Raises SettingError that names the item by its position: the item itself may hold a token.
    """
    silence_libraries()
    channels: dict[str, Channel] = {}
    for place, item in enumerate(named, 1):
        try:
            channel = _open(item.strip())
        except SettingError as error:
            raise SettingError(f"channels: item {place}: {error}") from None
        if channel.name in channels:
            raise SettingError(f"channels: item {place} stands twice ({channel.name}): keep one")
        channels[channel.name] = channel
    return tuple(channels.values())


def silence_libraries() -> None:
    """Keep URLs with tokens, and the addresses of persons, out of the log."""
    for library in ("apprise", "urllib3", "requests"):  # they log URLs at DEBUG
        logging.getLogger(library).setLevel(logging.WARNING)
    logging.getLogger("apprise").propagate = False  # it logs an address that it cannot use


def _open(item: str) -> Channel:
    if item in ("log", "log-names"):
        return LogChannel(item)
    if "://" not in item:
        raise SettingError("use log or log-names, or an Apprise URL such as ntfy://ntfy.sh/topic")
    # The import costs 15 MB, which a gateway without such a channel saves.
    from gateway.alerts.channels.apprise import AppriseChannel

    return AppriseChannel(item)

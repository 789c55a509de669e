"""The channels that the settings name, checked at start."""

import logging
from collections.abc import Sequence

from gateway.alerts.channels.log import LogChannel
from gateway.alerts.channels.port import Channel
from gateway.errors import SettingError


def open_channels(named: Sequence[str]) -> tuple[Channel, ...]:
    """One channel for each item of the setting ``channels``.

    Raises SettingError naming the item by its place: the item itself may hold a token.
    """
    for talkative in ("apprise", "urllib3", "requests"):  # they log URLs at DEBUG, tokens and all
        logging.getLogger(talkative).setLevel(logging.WARNING)
    logging.getLogger("apprise").propagate = False
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


def _open(item: str) -> Channel:
    if item == "log":
        return LogChannel()
    if "://" not in item:
        raise SettingError("use log, or an Apprise URL such as ntfy://ntfy.sh/topic")
    # It takes 15 MB, which a gateway that tells nobody by it spares.
    from gateway.alerts.channels.apprise import AppriseChannel

    return AppriseChannel(item)

"""What comes before a connection: the network, the signing key, the clock. Then it is unloaded."""

import hashlib

from micropython import const
from node.storage import clock, mishaps

_FLASH = const(2)  # of mishaps.py
_NTP_TIMEOUT_S = const(1)


def joined(board, config, queue, feed, signing_key, set_time):
    """Join a network. Returns the signal in dBm, 0 when unknown.

    ``feed`` and ``set_time(unix_s, source)`` are called on progress, and with the network's time.
    Raises what radio and network raise: of any class.
    """
    link = board.link(config, _address(config, queue.state))
    link.join()
    feed()
    _ensure_key(board, queue, signing_key)
    _set_clock(board, config, queue, link, set_time)  # before TLS, which checks dates
    return link.rssi()


def _address(config, state):
    """The hardware address: another one each boot, known only to the owner of the key."""
    from lib import wifi

    seed = config.key + state.era + b"%d" % state.boot
    return wifi.address(hashlib.sha256(b"noria-mac" + seed).digest())


def _ensure_key(board, queue, key):
    """Create the signing key, once; report its loss, once."""
    state = queue.state
    if key.missing and not state.keyed:
        try:
            board.wlan()  # switched on, since its noise feeds the random generator
            key.create()
        except Exception as error:  # noqa: BLE001 - messages count with their MAC alone, too
            mishaps.add(state, _FLASH, error)
    if key.present:
        state.keyed, queue.signs = 1, True
    elif key.missing and state.keyed == 1:
        state.keyed = 2
        queue.add_event(clock.up(state, board.rtc_s()), '"k":"fault","s":"sig","c":"lost"')


def _set_clock(board, config, queue, link, set_time):
    state = queue.state
    if not clock.wants(state, board.rtc_s()):
        return
    set_time(link.time(), clock.NET)
    if config.ntp and clock.wants(state, board.rtc_s()):
        set_time(board.network_time(config.ntp, _NTP_TIMEOUT_S), clock.NTP)
    # TLS checks certificates by the board's clock, which must not be behind times we know.
    floor = clock.at_least(state, board.rtc_s(), max(clock.BUILT, state.ack_t))
    if floor:
        board.set_rtc(floor)
        queue.save()

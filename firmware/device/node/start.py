"""The entry point of a build. ``guard.py`` on the board may be older: never change ``start``'s name
or arguments."""

import gc
import sys

import board
from lib import unload

from node import config

CONFIG = "config.json"


def start(slots, feed):
    """Run one wake of this build, and sleep or reset. Does not return.

    ``slots``: slots.Slots, which counts clean ends. ``feed`` restarts the watchdog: call it after
    progress (a stored reading, a link, a part of a release), never by a timer.
    """
    settings = config.kept(CONFIG, slots.nvs)
    here = board.named(settings.board)
    if not settings.fault and here.cause() != "wake":
        config.save(CONFIG, slots.nvs)
    seconds, watch, held_back, reboot, release = _wake(here, settings, slots, feed)
    if release:
        # No object of the wake is referenced any more: the download needs the heap.
        for name in [name for name in sys.modules if name.startswith("node.")]:
            unload(name)
        gc.collect()
        try:
            from node.update.download import Download

            reboot = Download(settings, slots, feed).run(*release) or reboot
        except Exception as error:  # noqa: BLE001 - of radio or flash: the next wake continues
            sys.print_exception(error)
    slots.ended(held_back)
    if reboot:
        here.reboot()
    here.sleep(seconds, watch)


def _wake(here, settings, slots, feed):
    from node.wake import Wake

    wake = Wake(here, settings, slots, feed)
    seconds, watch = wake.run()
    return seconds, watch, wake.held_back, wake.reboot, wake.release

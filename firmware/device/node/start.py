"""Where ``guard.py`` enters a build, whichever it is: ``start`` keeps its name and arguments."""

import gc
import sys

import board
from lib import unload

from node import config

CONFIG = "config.json"


def start(slots, feed):
    """Run one wake of this build, and sleep or reset. Does not return.

    ``slots``: slots.Slots, told when the wake ends by itself. ``feed`` begins the watchdog's time
    anew: it is called when something was achieved, never by a timer.
    """
    settings = config.load(CONFIG)
    here = board.named(settings.board)
    seconds, watch, held_back, reboot, release = _wake(here, settings, slots, feed)
    if release:
        # Nothing of the wake is held any more: its room goes to what comes in.
        for name in [name for name in sys.modules if name.startswith("node.")]:
            unload(name)
        gc.collect()
        from node.update.download import Update

        reboot = Update(settings, slots, feed).go_on(*release) or reboot
    slots.ended(held_back)
    if reboot:
        here.reboot()
    here.sleep(seconds, watch)


def _wake(here, settings, slots, feed):
    from node.wake import Wake

    wake = Wake(here, settings, slots, feed)
    seconds, watch = wake.run()
    return seconds, watch, wake.held_back, wake.reboot, wake.release

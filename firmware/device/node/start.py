"""Where ``main.py`` enters a build, whichever it is: ``start`` keeps its name and arguments."""

import board

from node import config
from node.wake import Wake

CONFIG = "config.json"


def start(slots, feed):
    """Run one wake of this build, and sleep or reset. Does not return.

    ``slots``: slots.Slots, told when the wake ends by itself. ``feed`` begins the watchdog's time
    anew: it is called when something was achieved, never by a timer.
    """
    settings = config.load(CONFIG)
    here = board.named(settings.board)
    wake = Wake(here, settings, slots, feed)
    seconds, watch = wake.run()
    slots.ended(wake.held_back)
    if wake.reboot:
        here.reboot()
    here.sleep(seconds, watch)

"""One wake, then deep sleep, whatever happens: awake in the prompt the cell would last hours."""

import sys

import board
import machine
from node import config
from node.wake import Wake

CONFIG = "config.json"
AFTER_FAULT_S = 300


def main():
    """Run the wake and sleep. Does not return."""
    try:
        settings = config.load(CONFIG)
        hardware = board.named(settings.board)
        seconds, watch = Wake(hardware, settings).run()
        hardware.sleep(seconds, watch)
    except Exception as error:  # noqa: BLE001 - a fault must end in sleep, and be read on the wire
        sys.print_exception(error)
        machine.deepsleep(AFTER_FAULT_S * 1000)


main()

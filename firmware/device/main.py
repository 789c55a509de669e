"""One wake, then deep sleep, whatever happens: awake in the prompt the cell would last hours."""

import sys

import machine
from board.firebeetle import Board
from node import config
from node.wake import Wake

CONFIG = "config.json"
AFTER_FAULT_S = 300


def main():
    """Run the wake and sleep. Does not return."""
    try:
        board = Board()
        seconds, watch = Wake(board, config.load(CONFIG)).run()
        board.sleep(seconds, watch)
    except Exception as error:  # noqa: BLE001 - a fault must end in sleep, and be read on the wire
        sys.print_exception(error)
        machine.deepsleep(AFTER_FAULT_S * 1000)


main()

"""One wake, then deep sleep, whatever happens: awake in the prompt the cell would last hours.

An update never replaces this file nor ``slots.py``: they choose the build that runs.
"""

import gc
import sys

import machine

FAULT = "fault"
"""What the last fault was, in NVS, until a wake has kept it as an event."""
WITHOUT_COUNT_S = 3600


def main():
    """Run the wake and sleep. Does not return, but for Ctrl-C on the cable."""
    slots, cold, seconds = None, True, WITHOUT_COUNT_S
    try:
        cold = machine.reset_cause() != machine.DEEPSLEEP_RESET
        slots = _slots()
        folder = slots.choose(cold)
        if cold and slots.hopeless:
            seconds = slots.failed(cold)
        else:
            if folder:
                sys.path.insert(0, folder)
            # Modules stay for the whole wake: packed close, they leave room in one piece.
            gc.threshold(4096)
            from node.start import start

            start(slots, machine.WDT(timeout=120_000).feed)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a fault must end in sleep, and be read on the wire
        seconds = _survive(error, slots, cold)
    machine.deepsleep(seconds * 1000)


def _slots():
    from slots import NoNvs, Slots

    try:
        import esp32

        return Slots(esp32.NVS("noria"))
    except OSError as error:
        print("NVS:", error)
        return Slots(NoNvs())


def _survive(error, slots, cold):
    """Say and keep what happened. Returns how many seconds to sleep."""
    try:
        sys.print_exception(error)
        if slots is None:
            return WITHOUT_COUNT_S
        slots.nvs.set_blob(FAULT, type(error).__name__.encode())
        return slots.failed(cold)
    except BaseException:  # noqa: BLE001 - no memory even for that: sleep all the same
        return WITHOUT_COUNT_S


main()

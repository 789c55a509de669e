"""Runs one wake of the chosen build and counts its faults, which a later wake reports."""

import gc
import sys

FAULT = "fault"
"""Name in NVS of the last fault, until a wake has stored it as an event."""
WITHOUT_COUNT_S = 3600


def run(nvs, cold, feed):
    """Run the wake. Returns only when it failed: the seconds to sleep.

    ``nvs(name)`` opens that part of NVS; ``cold``: any start but a wake from deep sleep; ``feed``:
    node/start.py.
    """
    slots = None
    try:
        slots = _slots(nvs)
        folder = slots.choose(cold)
        if cold and slots.hopeless:
            return slots.failed(cold)
        if folder:
            sys.path.insert(0, folder)
        # Frequent collections while modules load leave the rest of the heap contiguous.
        gc.threshold(4096)
        from node.start import start

        start(slots, feed)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a fault must end in sleep
        return _survive(error, slots, cold)
    return WITHOUT_COUNT_S


def _slots(nvs):
    from slots import Slots

    try:
        return Slots(nvs("noria"))
    except Exception as error:  # noqa: BLE001 - of any class: the node measures without NVS too
        print("NVS:", repr(error))
        from nonvs import NoNvs

        return Slots(NoNvs())


def _survive(error, slots, cold):
    """Print, store and count the fault, each even if another fails. Returns seconds to sleep."""
    try:
        sys.print_exception(error)
    except BaseException:  # noqa: BLE001, S110 - no memory for that: sleep all the same
        pass
    if slots is None:
        return WITHOUT_COUNT_S
    try:
        slots.nvs.set_blob(FAULT, type(error).__name__.encode())
        slots.nvs.commit()
    except BaseException:  # noqa: BLE001, S110 - NVS is full, or there is no memory
        pass
    try:
        return slots.failed(cold)
    except BaseException:  # noqa: BLE001 - the same
        return WITHOUT_COUNT_S

"""One wake, then deep sleep, whatever happens: awake in the prompt the cell would last hours.

An update never replaces this file nor ``guard.py`` and ``slots.py``, which choose the build that
runs. It is all of them that the chip compiles in its heap: it only holds on where they are gone.
"""

import sys

import machine

seconds = 3600
try:
    import esp32
    from guard import run

    cold = machine.reset_cause() != machine.DEEPSLEEP_RESET
    seconds = run(esp32.NVS, cold, machine.WDT(timeout=120_000).feed)
except KeyboardInterrupt:
    raise  # Ctrl-C on the cable
except BaseException as error:  # noqa: BLE001 - a fault must end in sleep
    try:
        sys.print_exception(error)
    except BaseException:  # noqa: BLE001, S110 - no memory even for that: sleep all the same
        pass
machine.deepsleep(seconds * 1000)

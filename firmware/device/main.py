"""One wake, then deep sleep, even after a fault: awake at the prompt the cell lasts for hours.

An update replaces neither this file nor ``guard.py`` and ``slots.py``, which choose the build. The
chip compiles this file in its heap, so it has only what works when the others are missing.
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
    except BaseException:  # noqa: BLE001, S110 - no memory for that either: sleep all the same
        pass
machine.deepsleep(seconds * 1000)

"""Runs the board's file system as the chip does: boot.py, main.py, then the prompt."""

import sys

if sys.implementation.name != "micropython":
    import _cpython

import _hal

_hal.begin(int(sys.argv[1]))

if sys.implementation.name != "micropython":
    _cpython.install()
elif "romfs" in _hal.boot["partitions"]:
    import _vfs

    _vfs.start()


def _run(name, names):
    with open(name) as script:
        source = script.read()
    exec(compile(source, name, "exec"), names)


def _main():
    names = {"__name__": "__main__"}
    try:
        _run("boot.py", names)
        _run("main.py", names)
    except SystemExit:
        _hal.last_word("reset", cause=5)  # sys.exit() soft-resets an ESP32
    except BaseException as error:
        sys.print_exception(error)
    # The chip is now at its prompt, awake, until its watchdog or an empty battery ends that.
    _hal.last_word("prompt")


_main()

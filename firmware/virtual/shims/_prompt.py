"""The prompt of a board on a cable: raw and raw-paste mode, which mpremote uses (MicroPython
documentation, *The MicroPython Interactive Interpreter Mode*), on the board's file system only.

It runs boot.py first, as after Ctrl-C in main.py. Not modelled: the friendly prompt.
"""

import io
import os
import select
import sys
import time

import utime

import _hal

_hal.begin(int(sys.argv[1]))

# All modules of the chip that the firmware may import: the file system changes next.
import _bus  # noqa: E402
import esp32  # noqa: E402,F401
import machine  # noqa: E402
import network  # noqa: E402,F401
import ntptime  # noqa: E402,F401

if "_rom" in sys.modules:
    import _vfs

machine.ADC, machine.I2C, machine.UART = _bus.ADC, _bus.I2C, _bus.UART

_CTRL_A, _CTRL_B, _CTRL_C, _CTRL_D, _CTRL_E = b"\x01", b"\x02", b"\x03", b"\x04", b"\x05"
_WINDOW = 2048  # bytes that may be under way in raw-paste mode; a chip offers 128
_PENDING = select.poll()
_PENDING.register(0, select.POLLIN)
_BANNER = b"raw REPL; CTRL-B to exit\r\n>"


def _only_this_file_system():
    root = os.getcwd()
    os.umount("/")
    os.mount(os.VfsPosix(root), "/")
    sys.path[:] = ["", ".frozen", "/lib"]
    if "_rom" in sys.modules:
        os.umount("/shims")
        _vfs.start()


def _boot():
    names = {"__name__": "__main__"}
    try:
        with open("boot.py") as script:
            exec(compile(script.read(), "boot.py", "exec"), names)
    except OSError:
        pass  # a blank board
    return names


class _Console:
    """Bytes in and out of the cable; it does not wait for somebody at the other end."""

    def __init__(self):
        self._in = sys.stdin.buffer
        self._out = sys.stdout.buffer

    def read(self):
        while True:
            try:
                byte = self._in.read(1)
                if byte:
                    return byte
            except OSError:
                pass  # EIO: the port is closed at the other end
            utime.sleep_us(5000)

    def write(self, data):
        self._out.write(data)


def _serve(console, names):
    command = b""
    while True:
        byte = console.read()
        if byte == _CTRL_A:
            command = b""
            console.write(_BANNER)
        elif byte == _CTRL_C or (byte == b"\r" and not command):
            command = b""
        elif byte == _CTRL_E and not command:
            console.read(), console.read()  # A, 1: a request for raw paste
            _run(console, _pasted(console), names)
        elif byte == _CTRL_D and not command:
            console.write(b"OK\r\nMPY: soft reboot\r\n")
            names = _boot()
            console.write(_BANNER)
        elif byte == _CTRL_D:
            console.write(b"OK")
            _run(console, command, names)
            command = b""
        elif byte != _CTRL_B:
            command += byte


def _pasted(console):
    """A program of any length, until Ctrl-D; each window is acknowledged after reading it."""
    console.write(b"R\x01" + _WINDOW.to_bytes(2, "little"))
    program, byte = bytearray(), console.read()
    while byte != _CTRL_D:
        program += byte
        if len(program) % _WINDOW == 0:
            console.write(b"\x01")
        byte = console.read()
    console.write(_CTRL_D)
    return bytes(program)


def _interruptible(seconds, sleep=time.sleep):
    """A program that sleeps is ended by Ctrl-C from the cable, as on the chip."""
    sleep(seconds)
    while _PENDING.poll(0):
        if sys.stdin.buffer.read(1) == _CTRL_C:
            raise KeyboardInterrupt


def _run(console, command, names):
    error = b""
    time.sleep = _interruptible
    try:
        exec(compile(command, "<stdin>", "exec"), names)
    except SystemExit:
        pass
    except BaseException as raised:
        text = io.StringIO()
        sys.print_exception(raised, text)
        error = text.getvalue().replace("\n", "\r\n").encode()
    console.write(_CTRL_D + error + _CTRL_D + b">")


_only_this_file_system()
_serve(_Console(), _boot())

"""Makes CPython look enough like MicroPython for the firmware to run on it."""

import gc
import importlib.util
import pathlib
import select  # noqa: F401 - the standard library is loaded before time is replaced
import socket
import ssl
import sys
import time
import traceback

sys.modules["utime"] = time  # MicroPython's name for its own clock, which the shims count on


def install():
    """Replace ``time`` and add what the firmware expects of MicroPython."""
    here = pathlib.Path(__file__).parent
    sys.path.insert(1, str(here / "cpython"))
    spec = importlib.util.spec_from_file_location("time", here / "time.py")
    shim = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shim)
    sys.modules["time"] = shim
    sys.modules["tls"] = ssl
    sys.print_exception = lambda error, file=sys.stderr: traceback.print_exception(error, file=file)
    gc.mem_free = lambda: 160 * 1024
    gc.mem_alloc = lambda: 0
    gc.threshold = lambda amount=-1: amount
    socket.socket = _StreamSocket


class _StreamSocket(socket.socket):
    """MicroPython's sockets are streams too."""

    def read(self, count=-1):
        """``count`` bytes, fewer only at the end of the stream."""
        held = b""
        while count < 0 or len(held) < count:
            part = self.recv(4096 if count < 0 else count - len(held))
            if not part:
                break
            held += part
        return held

    def readinto(self, buffer, count=None):
        """Fill ``buffer`` from one read."""
        return self.recv_into(buffer, len(buffer) if count is None else count)

    def write(self, data):
        """Send all of ``data``."""
        self.sendall(data)
        return len(data)

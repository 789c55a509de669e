"""Adds to CPython what the firmware expects of MicroPython."""

import gc
import importlib.util
import pathlib
import select  # noqa: F401 - the standard library is loaded before time is replaced
import socket
import ssl
import sys
import time
import traceback
import types

sys.path.insert(1, str(pathlib.Path(__file__).parent / "cpython"))
sys.modules["utime"] = types.SimpleNamespace(  # MicroPython's own clock, which the shims use
    gmtime=time.gmtime,
    time_ns=time.time_ns,
    ticks_us=lambda: time.monotonic_ns() // 1000,
    sleep_us=lambda us, sleep=time.sleep: sleep(us / 1e6),
)


def install():
    """Replace ``time`` and add what the firmware expects of MicroPython."""
    here = pathlib.Path(__file__).parent
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

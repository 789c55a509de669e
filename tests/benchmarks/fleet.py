"""Many devices whose messages are sealed in advance, and the program that publishes them.

``load.c`` publishes: Python is too slow to saturate a broker.
"""

import shutil
import sqlite3
import struct
import subprocess
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from gateway.domain.registry import Device, Registry, Site, Tank
from tests.integration.running_gateway import RunningGateway
from tests.parts import missing
from tests.wire_node.sealed import Ring, drawn

CONNECTIONS = 20
_SOURCE = Path(__file__).with_name("load.c")


def load_program(folder: Path) -> Path:
    """``load.c``, compiled into ``folder``; skips where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        missing("no C compiler is here: apt-get install gcc libc6-dev")
    program = folder / "load"
    if not program.exists():
        subprocess.run(
            [compiler, "-O2", "-D_GNU_SOURCE", "-o", program, _SOURCE], check=True, text=True
        )
    return program


class LoadProcess:
    """One ``load`` program at work: started and connected when this is made."""

    def __init__(self, program: Path, *words: str | int | float | Path) -> None:
        self._process = subprocess.Popen(
            [program, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n", "the load program did not connect"

    def go(self) -> None:
        """A publisher begins now."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def ended(self, timeout_s: float = 300.0) -> tuple[float, float, int]:
        """Wait for its end: when it began, when it ended (monotonic s), how many messages."""
        output, _ = self._process.communicate(timeout=timeout_s)
        assert self._process.returncode == 0, "the load program failed"
        first, last, number = output.split()
        return float(first), float(last), int(number)


@dataclass
class Fleet:
    """``size`` devices, one tank each. Messages go round robin, one reading a message."""

    size: int
    rings: list[Ring] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rings = [Ring(drawn(8), n.to_bytes(32, "big")) for n in range(1, self.size + 1)]

    @property
    def devices(self) -> list[str]:
        """Their ids, in the order in which they publish."""
        return [ring.device for ring in self.rings]

    def enrol(self, gateway: RunningGateway) -> None:
        """Import sites, tanks and devices; 50 tanks to a site."""
        rows: list[str] = []
        for n, ring in enumerate(self.rings):
            if n % 50 == 0:
                rows.append(f'[[site]]\nid = "site-{n // 50}"\n')
            rows.append(
                f'[[tank]]\nid = "tank-{n}"\nsite = "site-{n // 50}"\nshape = "ibc1000"\n'
                f'sensor_height_mm = 1100\n[[device]]\nid = "{ring.device}"\ntank = "tank-{n}"\n'
                f'key = "{ring.key.hex()}"\n'
            )
        file = gateway.folder / "fleet.toml"
        file.write_text("".join(rows), "utf-8")
        gateway.noria("registry", "import", str(file))

    def sealed(self, rounds: int, at: float, every_s: float = 1.0) -> list[bytes]:
        """``rounds`` PUBLISH packets of each device, sealed ``every_s`` apart, the first at ``at``.

        Water falls by a millimetre every 20 messages: nothing that anyone is alerted of.
        """
        packets: list[bytes] = []
        for turn in range(rounds):
            for n, ring in enumerate(self.rings):
                mm = 300 + ring.seq // 20 % 300 + n % 3
                reading = {"o": 0, "mm": mm, "sp": 4, "n": 7, "of": 7, "tc": 112}
                packets.append(self.packet(ring, at + turn * every_s, r=[reading]))
        return packets

    @staticmethod
    def packet(ring: Ring, at: float, **more: object) -> bytes:
        """One sealed message as a PUBLISH packet; ``load`` fills in its packet identifier."""
        message = ring.seal(at, up=10 + ring.seq, **more)
        ring.sealed.clear()  # nothing is resent here: memory stays flat
        topic, payload = ring.topic.encode(), ring.payload(message).encode()
        body = struct.pack(">H", len(topic)) + topic + b"\0\0" + payload
        return b"\x32" + _varint(len(body)) + body


def behind(gateway: RunningGateway) -> int:
    """How many entries a projection lags, and facts that an import left to be journaled."""
    lags = [p["lag"] for p in gateway.glance()["projections"].values()]
    with closing(sqlite3.connect(gateway.folder / "data" / "noria.db")) as database:
        facts = database.execute("SELECT count(*) FROM fact WHERE entry_id IS NULL")
        return max(lags, default=1) + facts.fetchone()[0]


def registry_of(rings: Sequence[Ring]) -> Registry:
    """A tank for each, called as its device, all at one site."""

    def tank(name: str) -> Tank:
        return Tank(name, "", "north", sensor_height_mm=1100, empty_l=20.0, taps=4)

    return Registry(
        sites={"north": (Site("north", ""),)},
        tanks={r.device: (tank(r.device),) for r in rings},
        devices={r.device: (Device(r.device, r.device, key=r.key),) for r in rings},
    )


def write_packets(file: Path, packets: Sequence[bytes]) -> Path:
    """What ``load publish`` reads."""
    file.write_bytes(b"".join(packets))
    return file


def _varint(number: int) -> bytes:
    """MQTT's remaining length: seven bits a byte, least first."""
    out = bytearray()
    while True:
        number, low = divmod(number, 128)
        out.append(low | (128 if number else 0))
        if not number:
            return bytes(out)

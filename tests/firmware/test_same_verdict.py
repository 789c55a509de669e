"""Node and gateway take and refuse the same OBJECTs, and read the same values in them.

The seed is fixed: the vectors are the same on every machine. ``NORIA_VECTORS`` is their number.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from firmware.virtual.host import interpreter
from gateway.wire.strict import Malformed, parse
from tests.hostile import objects
from tests.parts import require

VECTORS = int(os.environ.get("NORIA_VECTORS", "10000"))
SEED = 20_261_125
HERE = Path(__file__).parent
DEVICE = HERE.parents[1] / "firmware" / "device"


def gateways(text: bytes) -> Any:
    try:
        return parse(text)
    except Malformed:
        return None


def nodes(vectors: list[bytes], folder: Path) -> list[Any]:
    """What the node makes of each, on the real interpreter."""
    require("micropython")
    found = interpreter.find()
    assert found is not None
    file = folder / "vectors.hex"
    file.write_text("".join(vector.hex() + "\n" for vector in vectors), "ascii")
    script = HERE / "on_device" / "verdicts.py"
    command = found.command([str(script), str(file)], heap="4M", micropypath=[str(DEVICE)])
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr
    return [None if line == "-" else json.loads(line) for line in ran.stdout.splitlines()]


def test_gateway_and_node_give_the_same_verdict_on_hostile_objects(tmp_path: Path) -> None:
    vectors = list(objects(SEED, VECTORS))
    verdicts = nodes(vectors, tmp_path)
    expected = [gateways(vector) for vector in vectors]
    assert len(verdicts) == len(expected) == VECTORS
    apart = [v for v, h, e in zip(vectors, verdicts, expected, strict=True) if h != e]
    assert apart == []
    taken = sum(value is not None for value in expected)
    assert 0.1 * VECTORS < taken < 0.9 * VECTORS, "both verdicts are tried"

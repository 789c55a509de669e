"""The node's Ed25519 on the real interpreter signs as ``cryptography`` does."""

import json
import subprocess
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.virtual.host import interpreter
from tests.parts import require

HERE = Path(__file__).parent
DEVICE = HERE.parents[1] / "firmware" / "device"

cases = st.lists(
    st.tuples(st.binary(min_size=32, max_size=32), st.lists(st.binary(max_size=300), max_size=3)),
    min_size=20,
    max_size=20,
)


@settings(max_examples=10, deadline=None)
@given(cases)
def test_any_seed_and_message_are_signed_to_the_same_bytes(
    given: list[tuple[bytes, list[bytes]]],
) -> None:
    require("micropython")
    found = interpreter.find()
    assert found is not None
    lines = [json.dumps({"seed": s.hex(), "parts": [p.hex() for p in parts]}) for s, parts in given]
    ran = subprocess.run(
        found.command(
            [str(HERE / "on_device" / "sign_call.py")], heap="160K", micropypath=[str(DEVICE)]
        ),
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    signatures = [json.loads(line) for line in ran.stdout.splitlines()]
    expected: list[list[str]] = []
    for seed, parts in given:
        key = Ed25519PrivateKey.from_private_bytes(seed)
        public = key.public_key().public_bytes_raw().hex()
        expected.append([public, key.sign(b"".join(parts)).hex()])
    assert signatures == expected

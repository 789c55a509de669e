"""Signs each line of standard input: {"seed": hex, "parts": [hex, …]}; prints a line for each."""

import binascii
import json
import sys

from lib import ed25519, verification

for line in sys.stdin:
    given = json.loads(line)
    seed = binascii.unhexlify(given["seed"])
    parts = [binascii.unhexlify(part) for part in given["parts"]]
    public = ed25519.public_key(seed)
    signature = ed25519.sign(seed, public, *parts)
    verification.verify(public, signature, *parts)
    print(json.dumps([binascii.hexlify(public).decode(), binascii.hexlify(signature).decode()]))

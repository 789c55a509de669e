"""Prints what the node makes of each OBJECT in a file, one a line in hex: JSON, or -."""

import binascii
import json
import sys

from lib import strict_json


def verdict(obj):
    try:
        return json.dumps(strict_json.parse(obj))
    except ValueError:
        return "-"


with open(sys.argv[1]) as _file:
    for line in _file:
        print(verdict(binascii.unhexlify(line.strip())))

"""Judges traces of an accelerometer, a JSON list of [x, y, z] in mg a line; one verdict a line."""

import json
import sys

from node.measure import motion

REST = (0, 0, 1000)


def main():
    for line in sys.stdin:
        if not line.strip():
            continue
        watch = motion.Watch(REST)
        samples = [tuple(axes) for axes in json.loads(line)]
        for at in range(0, len(samples), 12):  # as the FIFO is drained
            watch.add(samples[at : at + 12])
            if watch.over:
                break
        result = {
            "confirmed": watch.confirmed,
            "tilted": watch.tilted,
            "moved": watch.moved,
            "ms": watch.lasted_ms,
            "mg": watch.peak_mg,
            "deg": watch.deg,
            "s": watch.seconds,
        }
        print(json.dumps(result))


main()

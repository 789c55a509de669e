"""How often a burst of mostly corrupted samples passes; JSON with ``count`` on standard input.

Each sample is corrupted for itself, with a probability drawn for each burst; only bursts count in
which more than half of the samples that were taken were corrupted. Corrupted samples are spread
evenly over the sensor's range.
"""

import json
import random
import sys

from drivers import a02yyuw, ads1115, hx711, jsn_sr04t
from node.measure import sampling

NAMES = {
    "a02yyuw": (a02yyuw.A02YYUW, 600, 3, (30, 4500)),
    "jsn-sr04t": (jsn_sr04t.PulseJSNSR04T, 600, 4, (200, 6000)),
    "probe": (ads1115.ADS1115, 6400, 8, (-245, 10420)),
    "hx711": (hx711.HX711, 180_000, 40, (-390_000, 390_000)),
}


class Sensor:
    def __init__(self, window, truth, noise, span, share):
        self.window = window
        self._truth, self._noise, self._span, self._share = truth, noise, span, share
        self.corrupted = 0

    def read(self):
        if random.random() < self._share:
            self.corrupted += 1
            return random.randint(*self._span)
        return self._truth + random.randint(-2 * self._noise, 2 * self._noise)


def main():
    given = json.load(sys.stdin)
    random.seed(given["seed"])
    for name, (chip, truth, noise, span) in sorted(NAMES.items()):
        result = {"sensor": name, "bursts": 0, "passed": 0, "wrong": 0}
        while result["bursts"] < given["count"]:
            share = random.choice((0.5, 0.6, 0.8, 1.0))
            sensor = Sensor(chip.window, truth, noise, span, share)
            burst = sampling.take_burst(sensor, lambda: 0, lambda a, b: 0)
            if 2 * sensor.corrupted <= burst.tried:
                continue
            result["bursts"] += 1
            if burst.value is not None:
                result["passed"] += 1
                result["wrong"] += abs(burst.value - truth) > chip.window
        print(json.dumps(result))


main()

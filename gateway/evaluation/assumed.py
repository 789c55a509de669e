"""What is assumed about the weights of evidence before anything is counted.

A fit begins here and leaves it as far as its stories show: a level that no story has keeps its
assumed ratio. The fit itself runs its stories with these, so it does not depend on an older fit.
"""

from collections.abc import Mapping

from gateway.domain.watch.tracks.weights import Weights

THEFTS_PER_TANK_YEAR = 0.25
"""Of each kind of story, thefts and look-alikes alike: about one theft of a tank in five years.

Assumed: thefts are reported from Calais and Grande-Synthe, their rate is not."""

_PRIOR: Mapping[str, float] = {
    "theft": -3.6, "seized": 0.0, "drained": 0.0, "slashed": 0.0, "lid_open": 0.0,
    "moved_by_us": -1.6, "battery": -2.0, "network_out": -2.0, "sensor_fault": -2.2,
    "clone": -6.0, "unknown": 0.0,
}  # fmt: skip

RATIOS: Mapping[str, Mapping[str, float]] = {
    "motion.gust": {
        "theft": 1.0, "seized": 0.5, "drained": 0.5, "slashed": 0.0, "moved_by_us": 1.5,
        "lid_open": -1.0,
    },
    "motion.shake": {
        "theft": 2.5, "seized": 0.5, "drained": 0.5, "slashed": 0.0, "moved_by_us": 1.5,
        "lid_open": -1.0,
    },
    "motion.carried": {"theft": 6.0, "seized": 2.0, "moved_by_us": 2.5, "lid_open": -2.0},
    "motion.away": {"theft": 6.0, "seized": 4.0, "moved_by_us": 2.5, "lid_open": -2.0},
    "tilt.alone": {"theft": 4.5, "seized": 3.0, "lid_open": -2.0, "slashed": -1.0},
    "tilt.carried": {"theft": 2.0, "seized": 3.0, "lid_open": -2.0, "slashed": -1.0},
    "lid.open": {"lid_open": 1.0},
    "lid.moved": {"theft": 0.0, "lid_open": 2.0},
    "lid.stayed": {"theft": 7.5, "lid_open": 5.0},
    "lid.stayed_long": {"theft": 7.5, "lid_open": 5.0},
    "lid.stayed_dry": {"theft": 6.5, "lid_open": 5.0},
    "lid.stayed_cans": {"theft": 6.5, "lid_open": 5.0},
    "level_steady": {"drained": -3.0, "slashed": -3.0},
    "fall_rate.much_more": {"theft": 6.5, "drained": 2.0, "slashed": 2.0},
    "fall_rate.more": {"theft": 4.5, "drained": 2.0, "slashed": 2.0},
    "fall_rate.all_taps": {"theft": 4.0, "drained": 2.0, "slashed": 2.0},
    "fall_rate.most_taps": {"theft": 1.2, "drained": 2.0, "slashed": 2.0},
    "fall_rate.some_taps": {"theft": 0.3, "drained": 2.0, "slashed": 2.0},
    "fall_rate.few_taps": {"theft": -1.0, "drained": 2.0, "slashed": 2.0},
    "fall_shape.slows": {"drained": -1.0, "slashed": 1.0},
    "fall_shape.goes_on": {"drained": 1.0, "slashed": 0.0},
    "fall_shape.fast": {"drained": 1.0, "slashed": 0.0},
    "fall_shape.unknown": {"drained": 0.0, "slashed": 0.0},
    "fall_size.half": {"theft": 2.0},
    "fall_size.third": {"theft": 1.3},
    "fall_size.fifth": {"theft": 0.0},
    "fall_size.cans": {"theft": -2.5},
    "beyond_use.far": {"theft": 2.4},
    "beyond_use.more": {"theft": 1.0},
    "beyond_use.within": {"theft": -0.3},
    "use_unknown": {"theft": -0.7},
    "for_the_hour.usual": {"theft": -0.7},
    "for_the_hour.seldom": {"theft": 0.0},
    "for_the_hour.rarely": {"theft": 0.3},
    "for_the_hour.barely": {"theft": 0.6},
    "for_the_hour.hardly": {"theft": 1.0},
    "for_the_hour.never": {"theft": 1.5},
    "emptied": {"theft": 0.8, "drained": 2.5, "slashed": -1.5},
    "sudden_plateau": {"theft": -4.0, "sensor_fault": 3.0},
    "plateau.decays": {"theft": 0.5, "slashed": 3.0, "drained": -1.0},
    "plateau.steady": {"theft": -0.3, "slashed": 3.0, "drained": -1.0},
    "echoes_disagree": {"theft": -2.0, "sensor_fault": 2.0},
    "rise_undone": {"theft": -3.0, "sensor_fault": 2.0},
    "was_frozen": {"theft": -4.0, "sensor_fault": 3.0},
    "knock": {"theft": 1.2, "drained": 0.0, "slashed": 0.0},
    "blind_zone.full": {"theft": -5.0, "sensor_fault": 3.0},
    "blind_zone.unseen": {"theft": -1.5, "sensor_fault": 2.0},
    "neighbours_fall.taps": {"theft": -4.0},
    "neighbours_fall.faster": {"theft": -0.5},
    "neighbours_steady": {"theft": 0.0},
    "silence_after_handling.recovery": {
        "theft": 2.5, "seized": 3.0, "battery": 0.5, "network_out": 0.5,
    },
    "silence_after_handling.usual": {
        "theft": 1.5, "seized": 3.0, "battery": 0.5, "network_out": 0.5,
    },
    "silence_after_handling.resumed": {
        "theft": 0.5, "seized": 3.0, "battery": 0.5, "network_out": 0.5,
    },
    "speaks_again.soon": {"theft": -1.0, "seized": -2.0, "battery": -3.0, "network_out": -3.0},
    "speaks_again.for_an_hour": {
        "theft": -2.5, "seized": -2.0, "battery": -3.0, "network_out": -3.0,
    },
    "speaks_again.for_hours": {
        "theft": -7.0, "seized": -2.0, "battery": -3.0, "network_out": -3.0,
    },
    "speaks_again.loss": {"theft": 0.0, "seized": -2.0, "battery": -3.0, "network_out": -3.0},
    "planned_move": {"theft": -40.0, "moved_by_us": 7.0},
    "planned_cleaning": {"theft": -40.0, "moved_by_us": 3.0},
    "no_move_planned": {"theft": 0.0, "moved_by_us": -0.8},
    "eviction_risk": {"theft": 1.0, "seized": 0.3},
    "said_moved_by_us": {"theft": -12.0, "moved_by_us": 10.0},
    "seen_there": {"theft": -14.0, "seized": -8.0},
}  # fmt: skip

FIXED = frozenset(("planned_move", "planned_cleaning", "said_moved_by_us", "seen_there"))
"""What people plan or say outweighs every sensor: no story is asked whether it should."""
KEPT = FIXED | {"blind_zone.full", "blind_zone.unseen", "use_unknown"}
"""Levels that keep their assumed ratios: beside what people say, what the sensor's maker says, and
that nothing is known, which must accuse nobody.
"""

LADDERS: tuple[tuple[str, ...], ...] = (
    ("motion.gust", "motion.shake", "motion.carried", "motion.away"),
    ("lid.open", "lid.stayed_cans", "lid.stayed_long"),
    ("lid.open", "lid.stayed_dry", "lid.stayed"),
    ("fall_rate.few_taps", "fall_rate.some_taps", "fall_rate.most_taps", "fall_rate.all_taps",
     "fall_rate.more", "fall_rate.much_more"),
    ("fall_size.cans", "fall_size.fifth", "fall_size.third", "fall_size.half"),
    ("beyond_use.within", "beyond_use.more", "beyond_use.far"),
    ("for_the_hour.usual", "for_the_hour.seldom", "for_the_hour.rarely", "for_the_hour.barely",
     "for_the_hour.hardly", "for_the_hour.never"),
    ("neighbours_fall.taps", "neighbours_fall.faster"),
    ("silence_after_handling.resumed", "silence_after_handling.usual",
     "silence_after_handling.recovery"),
    ("speaks_again.for_hours", "speaks_again.for_an_hour", "speaks_again.soon"),
)  # fmt: skip
"""Levels of one figure, from the least to the most evidence of theft: their ratios never fall."""

ASSUMED = Weights(
    origin="assumed", rates={"theft": 7 * THEFTS_PER_TANK_YEAR, "harmless": 7.7},
    prior=_PRIOR, ratios=RATIOS, counts={}, calibration={},
)  # fmt: skip

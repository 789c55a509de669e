"""What a device reports of its own parts, in words.

The codes are the firmware's (firmware/SENSES.md); ``tests/structure/test_node_words.py`` compares.
"""

from collections.abc import Mapping, Sequence

from gateway.devices.faults import DeviceFault
from server.words.language import PageLanguage, mark
from server.words.sensors import FRESH_S, Odd

SENSOR: Mapping[str, str] = {
    "missing": mark("The level sensor does not answer. Check its plug and its supply."),
    "garbage": mark("The level sensor's answers make no sense. Check its cable, and whether it is "
                    "the sensor that was set up."),
    "no_echo": mark("The level sensor gets no echo. Check that it looks straight down at the "
                    "water."),
    "disagree": mark("The level sensor's samples contradict each other. Look for foam, spray or "
                     "something in its way."),
    "near": mark("The level sensor sees something above the highest water: drops on its face, or "
                 "an object."),
    "far": mark("The level sensor measures farther than the floor. Check where it looks, and the "
                "height that was set."),
    "blind": mark("The water may be too near for the level sensor to measure. Mount it higher."),
    "wire": mark("No current flows through the probe. Check its wire and its 24 V."),
    "over": mark("Too much current flows through the probe. Look for a short, or a broken probe."),
    "saturated": mark("A load cell is overloaded, or is not connected."),
    "stuck": mark("The level sensor has repeated one figure for two days."),
    "timing": mark("The scale could not be read in time."),
    "fault": mark("The level sensor does not work, for an unknown reason."),
}  # fmt: skip
"""By code, of the part ``sensor``."""

_PARTS: Mapping[tuple[str, str], str] = {
    ("motion", "missing"): mark("The motion sensor does not answer. Check its four wires."),
    ("motion", "stuck"): mark("The motion sensor's line is always on, so motion no longer wakes "
                              "the device. Check INT1."),
    ("motion", "floating"): mark("The motion sensor's line changes by itself, so motion no longer "
                                 "wakes the device. Check INT1."),
    ("motion", "budget"): mark("Too many knocks. Motion does not wake the device for now; tilt "
                               "and lid still do."),
    ("tilt", "stuck"): mark("The tilt line is always on, so tilt no longer wakes the device. "
                            "Check INT2."),
    ("tilt", "floating"): mark("The tilt line changes by itself, so tilt no longer wakes the "
                               "device. Check INT2."),
    ("lid", "floating"): mark("The lid switch changes all the time, so the lid no longer wakes "
                              "the device. Check switch and magnet."),
    ("battery", "low"): mark("The battery is low. Until it is charged, it reports only what "
                             "cannot wait."),
    ("recovery", "budget"): mark("It stopped following the moved tank, to save its battery, "
                                 "before the tank stood still."),
    ("recovery", "reserve"): mark("It stopped following the moved tank, because its battery is at "
                                  "its reserve."),
    ("sig", "lost"): mark("It lost the key that signs its messages. Run noria device test on "
                          "a cable."),
}  # fmt: skip
_ANY: Mapping[str, str] = {
    "config": mark("Its file config.json cannot be used ({code}); the last good one runs. Flash "
                   "it again."),
    "main": mark("Its program ended in an error ({code}) and began again."),
    "radio": mark("Its radio failed in an unusual way ({code}, {n} in all)."),
    "bus": mark("A part on its wires failed in an unusual way ({code}, {n} in all)."),
    "flash": mark("Its memory failed in an unusual way ({code}, {n} in all)."),
}  # fmt: skip
"""Parts whose code is a name: a field of the configuration, or a kind of error."""
_UNKNOWN = mark("It reports a fault that this version does not know ({part}: {code}).")

_PASSING = ("main", "radio", "bus", "flash", "recovery", "sig")
"""Parts that never report that they work again."""
_PASSES = ("motion", "budget")


def sentence(language: PageLanguage, fault: DeviceFault) -> str:
    """What is wrong with one part, whatever its code."""
    known = SENSOR.get(fault.code) if fault.part == "sensor" else None
    known = known or _PARTS.get((fault.part, fault.code)) or _ANY.get(fault.part) or _UNKNOWN
    return language.text(known, part=fault.part, code=fault.code, n=fault.times)


def lines(language: PageLanguage, faults: Sequence[DeviceFault], now: float) -> list[Odd]:
    """The faults that last, and for a week those that pass by themselves."""
    found = list[Odd]()
    for fault in faults:
        passing = fault.part in _PASSING or (fault.part, fault.code) == _PASSES
        if passing and now - fault.at >= FRESH_S:
            continue
        time = language.moment(fault.at, now)
        when = mark("Last {time}.") if passing else mark("Since {time}.")
        text = f"{sentence(language, fault)} {language.text(when, time=time)}"
        found.append(Odd(text, urgent=not passing))
    return found

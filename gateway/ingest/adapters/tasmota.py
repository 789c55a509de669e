"""Tasmota: ``tele/<topic>/SENSOR`` and ``tele/<topic>/STATE``, a JSON object every TelePeriod.

Format as documented for Tasmota 13 and 14:
``{"Time":"2024-02-11T23:49:43","SR04":{"Distance":18.4},"TempUnit":"C"}``. A sensor without a
measurement has ``null``. ``Time`` is the device's local time without a zone, so it does not date
the message, but a message with the same bytes is a redelivery.
"""

import re

from gateway.ingest.adapters.port import Unreadable, Uplink, json_object

_LAST_LEVEL = re.compile(r".+/(SENSOR|STATE|STATUS8|STATUS10)")


class Tasmota:
    """Implements ``Adapter``."""

    name = "tasmota"
    has_time = False
    form = "tele/<topic>/SENSOR or tele/<topic>/STATE"

    def fits(self, topic: str) -> bool:
        """``FullTopic`` is free except for its last level."""
        return _LAST_LEVEL.fullmatch(topic) is not None

    def open(self, payload: bytes) -> Uplink:
        """The JSON object; with a ``Time``, its bytes are its identity."""
        found = json_object(payload)
        time = found.get("Time")
        if time is not None and not isinstance(time, str):
            raise Unreadable("Time is not a text: not what Tasmota publishes")
        return Uplink(found, identity=payload if time else None)

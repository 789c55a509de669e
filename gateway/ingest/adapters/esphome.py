"""ESPHome's MQTT component: one topic for each sensor, its state as plain text.

Format as documented for ESPHome 2024.x and 2025.x: ``<prefix>/sensor/<object id>/state`` with a
payload such as ``0.41``, or ``nan`` without a measurement. States are retained by default
(``retain: true``) and carry no time, so a retained one is of unknown age.
"""

from gateway.ingest.adapters.port import Unreadable, Uplink


class Esphome:
    """Implements ``Adapter``."""

    name = "esphome"
    has_time = False
    form = "<topic_prefix>/sensor/<object id>/state, or the sensor's own state_topic"

    def fits(self, topic: str) -> bool:
        """Any topic, because ``state_topic`` is free."""
        return "/" in topic

    def open(self, payload: bytes) -> Uplink:
        """The state, which is the document."""
        try:
            text = payload.decode("ascii").strip()
        except UnicodeDecodeError as error:
            raise Unreadable("not plain text") from error
        if not text:
            raise Unreadable("empty: ESPHome clears a retained state so")
        return Uplink(text)

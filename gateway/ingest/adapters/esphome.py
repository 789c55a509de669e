"""ESPHome's MQTT component: one topic for each sensor, its state as plain text.

Format as documented for ESPHome 2024.x and 2025.x: ``<prefix>/sensor/<object id>/state`` with a
payload such as ``0.41``, or ``nan`` when the sensor gave nothing. States are retained by default
(``retain: true``) and tell no time: what comes retained is old.
"""

from gateway.ingest.adapters.port import Unreadable, Uplink


class Esphome:
    """Implements ``Adapter``."""

    name = "esphome"
    tells_time = False
    form = "<topic_prefix>/sensor/<object id>/state, or the sensor's own state_topic"

    def fits(self, topic: str) -> bool:
        """Any topic: ``state_topic`` may name another than the usual one."""
        return "/" in topic

    def open(self, payload: bytes) -> Uplink:
        """The state itself is the document."""
        try:
            text = payload.decode("ascii").strip()
        except UnicodeDecodeError as error:
            raise Unreadable("not plain text") from error
        if not text:
            raise Unreadable("empty: ESPHome clears a retained state so")
        return Uplink(text)

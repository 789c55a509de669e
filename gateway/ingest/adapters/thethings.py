"""The Things Stack v3: ``v3/<application id>@<tenant id>/devices/<device id>/up``.

Format as documented for The Things Stack 3.30 to 3.35: ``uplink_message`` has ``session_key_id``
and ``f_cnt`` (together they identify the uplink), ``decoded_payload`` and ``rx_metadata``;
``received_at`` is the server's time. Fields that are zero or empty are absent. Its MQTT server
supports QoS 0 only: what it publishes while the gateway is disconnected is lost.
"""

import re
from typing import cast

from gateway.ingest.adapters.port import Unreadable, Uplink, json_object, moment, strongest

_TOPIC = re.compile(r"v3/[^/]+/devices/[^/]+/up")


class TheThings:
    """Implements ``Adapter``."""

    name = "thethings"
    has_time = True
    form = "v3/<application id>@<tenant id>/devices/<device id>/up"

    def fits(self, topic: str) -> bool:
        """``up`` of one device."""
        return _TOPIC.fullmatch(topic) is not None

    def open(self, payload: bytes) -> Uplink:
        """The uplink, unless it was simulated in the console."""
        found = json_object(payload)
        if found.get("simulated") is True:
            raise Unreadable("simulated in the console: nothing was measured")
        given: object = found.get("uplink_message")
        if not isinstance(given, dict):
            raise Unreadable("no uplink_message: not an uplink of The Things Stack v3")
        uplink = cast(dict[str, object], given)
        received = uplink.get("received_at", found.get("received_at"))
        at = moment(received)
        if at is None:
            raise Unreadable("received_at is not a time with its offset")
        # A rejoin draws another session key and restarts the counter; f_cnt 0 is absent.
        identity = f"{uplink.get('session_key_id', received)} {uplink.get('f_cnt', 0)}"
        return Uplink(found, at, identity.encode(), strongest(uplink.get("rx_metadata")))

"""ChirpStack v4: ``application/<application id>/device/<DevEUI>/event/up``, JSON marshaler.

Format as in ChirpStack 4's ``integration.UplinkEvent``: ``deduplicationId`` identifies the uplink,
``time`` is its receive time, ``object`` is decoded by the device profile's codec, ``rxInfo`` are
the receivers. Fields that are zero or empty are absent. Version 3 (``devEUI``) has another format.
"""

import re

from gateway.ingest.adapters.port import Unreadable, Uplink, json_object, moment, strongest

_TOPIC = re.compile(r"(?:[^/]+/)*application/[^/]+/device/[0-9a-f]{16}/event/up")


class ChirpStack:
    """Implements ``Adapter``."""

    name = "chirpstack"
    has_time = True
    form = "application/<application id>/device/<DevEUI, small letters>/event/up"

    def fits(self, topic: str) -> bool:
        """``event/up`` of one device, perhaps behind a prefix."""
        return _TOPIC.fullmatch(topic) is not None

    def open(self, payload: bytes) -> Uplink:
        """The event; two deliveries of one uplink have the same ``deduplicationId``."""
        found = json_object(payload)
        event_id = found.get("deduplicationId")
        if not isinstance(event_id, str) or not event_id:
            raise Unreadable(
                "no deduplicationId: use the JSON marshaler of ChirpStack v4 (v3 has another form)"
            )
        at = moment(found.get("time"))
        if at is None:
            raise Unreadable("time is not a time with its offset")
        return Uplink(found, at, event_id.encode(), strongest(found.get("rxInfo")))

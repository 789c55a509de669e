"""The formats of other projects: the topics of each, and how to decode a payload."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast


class Unreadable(ValueError):
    """A payload is not in the project's format; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Uplink:
    """One decoded payload.

    The mapping's paths point into ``document``. ``at`` is the network's receive time (Unix s) and
    ``identity`` the bytes that only a redelivery repeats, where the format has them. ``rssi_dbm``
    is that of the best receiver.
    """

    document: object
    at: float | None = None
    identity: bytes | None = None
    rssi_dbm: float | None = None


@dataclass(frozen=True, slots=True)
class Adapter:
    """One project's format.

    ``name`` is the value of ``from`` in a mapping, ``form`` the form of its topics, for people.
    ``has_time``: every message carries its receive time. ``open`` decodes one payload, or raises
    Unreadable.
    """

    name: str
    has_time: bool
    form: str
    topic: re.Pattern[str]
    open: Callable[[bytes], Uplink]

    def fits(self, topic: str) -> bool:
        """Whether ``topic`` has its form."""
        return self.topic.fullmatch(topic) is not None


def json_object(payload: bytes) -> Mapping[str, object]:
    """The payload as a JSON object. Raises Unreadable."""
    try:
        found: object = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise Unreadable("not a JSON object")
    return cast(dict[str, object], found)


def moment(value: object) -> float | None:
    """An RFC 3339 time as Unix s; None for anything else, or without an offset."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.timestamp() if found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def strongest(receivers: object) -> float | None:
    """The largest ``rssi`` of a list of receivers, dBm."""
    if not isinstance(receivers, list):
        return None
    found: list[float] = []
    for receiver in cast(list[object], receivers):
        rssi: object = (
            cast(dict[str, object], receiver).get("rssi") if isinstance(receiver, dict) else 0
        )
        if isinstance(rssi, int | float) and not isinstance(rssi, bool) and -200 < rssi < 0:
            found.append(rssi)
    return max(found, default=None)


def number(value: object) -> float | None:
    """A finite number, also written as text; None for null and NaN. Raises Unreadable."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Unreadable(f"{str(value)[:40]!r} is not a number")
    try:
        found = float(value)
    except (ValueError, OverflowError):
        raise Unreadable(f"{str(value)[:40]!r} is not a number") from None
    if math.isinf(found):
        raise Unreadable("infinite is not a number that a sensor measures")
    return None if math.isnan(found) else found


def _open_chirpstack(payload: bytes) -> Uplink:
    """An event ``up`` of ChirpStack 4 (``integration.UplinkEvent``, JSON marshaler).

    ``deduplicationId`` identifies the uplink in all its deliveries, ``time`` is its receive time,
    ``object`` is decoded by the device profile's codec, ``rxInfo`` are the receivers. Fields that
    are zero or empty are absent. Version 3 (``devEUI``) has another format.
    """
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


def _open_esphome(payload: bytes) -> Uplink:
    """A state, as documented for ESPHome 2024.x and 2025.x: ``0.41``, or ``nan``, as plain text.

    States are retained by default (``retain: true``) and carry no time, so a retained one is of
    unknown age.
    """
    try:
        text = payload.decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise Unreadable("not plain text") from error
    if not text:
        raise Unreadable("empty: ESPHome clears a retained state so")
    return Uplink(text)


def _open_tasmota(payload: bytes) -> Uplink:
    """Sensors or state, every TelePeriod, as documented for Tasmota 13 and 14.

    ``{"Time":"2024-02-11T23:49:43","SR04":{"Distance":18.4},"TempUnit":"C"}``. A sensor without a
    measurement has ``null``. ``Time`` is the device's local time without a zone, so it does not
    date the message, but a message with the same bytes is a redelivery.
    """
    found = json_object(payload)
    time = found.get("Time")
    if time is not None and not isinstance(time, str):
        raise Unreadable("Time is not a text: not what Tasmota publishes")
    return Uplink(found, identity=payload if time else None)


def _open_thethings(payload: bytes) -> Uplink:
    """An uplink, as documented for The Things Stack 3.30 to 3.35.

    ``uplink_message`` has ``session_key_id`` and ``f_cnt`` (together they identify the uplink),
    ``decoded_payload`` and ``rx_metadata``; ``received_at`` is the server's time. Fields that are
    zero or empty are absent. Its MQTT server supports QoS 0 only: what it publishes while the
    gateway is disconnected is lost.
    """
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


_ALL = (
    Adapter(
        "esphome",
        False,
        "<topic_prefix>/sensor/<object id>/state, or the sensor's own state_topic",
        re.compile(r".*/.*"),
        _open_esphome,
    ),
    Adapter(
        "tasmota",
        False,
        "tele/<topic>/SENSOR or tele/<topic>/STATE",
        re.compile(r".+/(SENSOR|STATE|STATUS8|STATUS10)"),
        _open_tasmota,
    ),
    Adapter(
        "chirpstack",
        True,
        "application/<application id>/device/<DevEUI, small letters>/event/up",
        re.compile(r"(?:[^/]+/)*application/[^/]+/device/[0-9a-f]{16}/event/up"),
        _open_chirpstack,
    ),
    Adapter(
        "thethings",
        True,
        "v3/<application id>@<tenant id>/devices/<device id>/up",
        re.compile(r"v3/[^/]+/devices/[^/]+/up"),
        _open_thethings,
    ),
)
ADAPTERS: Mapping[str, Adapter] = {adapter.name: adapter for adapter in _ALL}
"""By name."""

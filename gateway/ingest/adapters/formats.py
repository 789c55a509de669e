"""The formats of other projects: the topics of each, and how to decode a payload."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import cast

_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
"""A clock that was never set begins long before."""
JSON = "json"
_PER_SECOND = {"s": 1.0, "ms": 1000.0}
TIMES = (*_PER_SECOND, "iso")
"""The units of a sender's time."""


class Unreadable(ValueError):
    """A payload is not in the project's format; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Uplink:
    """One decoded payload.

    The mapping's paths point into ``document``. ``at`` is the network's receive time (Unix s) and
    ``identity`` the bytes that only a redelivery repeats, where the format has them; ``clock`` is
    the device's own time (Unix s of an unknown zone), which is repeated in autumn and after a
    restart, so that identity counts for about an hour. ``rssi_dbm`` is that of the best receiver,
    ``problem`` the reason why the mapped level is not in it.
    """

    document: object
    at: float | None = None
    identity: bytes | None = None
    clock: float | None = None
    rssi_dbm: float | None = None
    problem: str = ""

    def identified(self, received: float) -> bytes | None:
        """The bytes that only a redelivery repeats, of an uplink received then (Unix s)."""
        if self.clock is None or self.identity is None:
            return self.identity
        # By whole hours: zones differ by halves of them, deliveries by seconds.
        hours = round((received - self.clock) / 3600)
        return b"%d " % hours + self.identity


@dataclass(frozen=True, slots=True)
class Adapter:
    """One project's format.

    ``name`` is the value of ``from`` in a mapping, ``form`` the form of its topics, for people.
    ``open`` decodes one payload, or raises Unreadable.
    """

    name: str
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
    """A finite number, also written as text and with a decimal comma; None for anything else.

    Sensors say in many ways that they have no measurement: ``null``, ``nan``, ``"No Sensor"``,
    ``"Invalid Reading"``, ``"unavailable"``, ``false``.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = value.strip() if isinstance(value, str) else None
    if text is not None and _DECIMAL_COMMA.fullmatch(text):
        value = text.replace(",", ".")
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


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
    rssi = strongest(found.get("rxInfo"))
    return Uplink(found, at, event_id.encode(), rssi_dbm=rssi)


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
    measurement has ``null`` or is absent. ``Time`` is the device's local time without a zone, so
    it does not date the message, but the same bytes about the same time are a redelivery. Without
    a network it begins again in 1970 at each start, and then says nothing.
    """
    found = json_object(payload)
    time = found.get("Time")
    if time is not None and not isinstance(time, str):
        raise Unreadable("Time is not a text: not what Tasmota publishes")
    clock = _local(time) if time else None
    return Uplink(found, identity=payload if clock is not None else None, clock=clock)


def _local(text: str) -> float | None:
    """A time without a zone as Unix s of UTC; None where the clock was not set."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found.timestamp() if found > _EARLIEST else None


def _open_thethings(payload: bytes) -> Uplink:
    """An uplink, as documented for The Things Stack 3.30 to 3.35.

    ``uplink_message`` has ``session_key_id``, ``f_cnt``, ``decoded_payload`` and ``rx_metadata``;
    ``received_at`` is the server's time. A device whose counter begins again (ABP, after a
    battery) keeps its session, so ``received_at`` and the payload identify the uplink too. Fields
    that are zero or empty are absent. Its MQTT server supports QoS 0 only: what it publishes while
    the gateway is disconnected is lost.
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
    # f_cnt 0 is absent.
    parts = (
        uplink.get("session_key_id"), uplink.get("f_cnt", 0), received,
        uplink.get("frm_payload"), uplink.get("decoded_payload"),
    )  # fmt: skip
    identity = json.dumps(parts, sort_keys=True)
    return Uplink(found, at, identity.encode(), rssi_dbm=strongest(uplink.get("rx_metadata")))


def _open_json(payload: bytes) -> Uplink:
    """A JSON object of any sender, such as Zigbee2MQTT, Shelly or rtl_433. The mapping names the
    path of its time, if it has one (:func:`dated`)."""
    return Uplink(json_object(payload))


def dated(uplink: Uplink, value: object, unit: str, payload: bytes) -> Uplink:
    """``uplink`` with its sender's time ``value``: Unix time in ``s`` or ``ms``, or ``iso``, text.

    Unchanged where that is no time, or of a clock that was never set. A text without an offset
    (rtl_433's default) is of an unknown zone, so it dates nothing, but identifies a redelivery. A
    clock may begin again after a restart: the same bytes are a redelivery for about an hour only.
    """
    clock = at = None
    if unit == "iso":
        at = moment(value)
        clock = _local(value) if isinstance(value, str) else None
    elif (figure := number(value)) is not None:
        clock = at = figure / _PER_SECOND[unit]
    if clock is None or clock <= _EARLIEST.timestamp():
        return uplink
    return replace(uplink, at=at, identity=payload, clock=clock)


_ALL = (
    Adapter(
        "esphome",
        "<topic_prefix>/sensor/<object id>/state, or the sensor's own state_topic",
        re.compile(r".*/.*"),
        _open_esphome,
    ),
    Adapter(
        "tasmota",
        "tele/<topic>/SENSOR or tele/<topic>/STATE",
        re.compile(r".+/(SENSOR|STATE|STATUS8|STATUS10)"),
        _open_tasmota,
    ),
    Adapter(
        "chirpstack",
        "application/<application id>/device/<DevEUI, small letters>/event/up",
        re.compile(r"(?:[^/]+/)*application/[^/]+/device/[0-9a-f]{16}/event/up"),
        _open_chirpstack,
    ),
    Adapter(
        "thethings",
        "v3/<application id>@<tenant id>/devices/<device id>/up",
        re.compile(r"v3/[^/]+/devices/[^/]+/up"),
        _open_thethings,
    ),
    Adapter(JSON, "the one topic of this sensor, one JSON object a message", re.compile(r".+"),
            _open_json),
)  # fmt: skip
ADAPTERS: Mapping[str, Adapter] = {adapter.name: adapter for adapter in _ALL}
"""By name."""

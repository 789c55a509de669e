"""Payloads as seven projects document them, and a mapping of their topics.

ESPHome 2025 (mqtt component), Tasmota 13 (tele SENSOR and STATE), ChirpStack 4
(integration.UplinkEvent, JSON marshaler), The Things Stack 3.30 (ApplicationUp). By ``json``:
Zigbee2MQTT 2 (devices ME201WZ and TLC2206, ``last_seen``), Shelly Gen2 (Voltmeter, status of a
component), rtl_433 25.02 (src/devices/oil_watchman.c, ``-M time:unix``).
"""

import json
from pathlib import Path
from typing import Any

from gateway.ingest.adapters import mapping
from gateway.ingest.adapters.mapping import MappingFile

TASMOTA, STATE = "tele/tank7/SENSOR", "tele/tank7/STATE"
ESPHOME, VOLTS = "tank8/sensor/distance/state", "tank8/sensor/battery_voltage/state"
CHIRPSTACK = "application/17c82e96-be03-4f38-aef3-f83d48582d97/device/0101010101010101/event/up"
THINGS = "v3/my-app@ttn/devices/tank-9/up"
ZIGBEE, SHELLY = "zigbee2mqtt/tank-10", "shellyplusuni-a0a3b3c0ffee/status/voltmeter:100"
RTL_433 = "rtl_433/Oil-SonicSmart/10001234"

FEEDS = ("feedaa", "feedbb", "feedcc", "feeddd", "feedee", "feedff", "feedgg")

MAPPING = f"""\
[[broker]]
id = "home"
url = "mqtt://127.0.0.1:1883"

[[feed]]
device = "feedaa"
from = "tasmota"
topic = "{TASMOTA}"
every_s = 300
distance = {{ path = "SR04.Distance", unit = "cm" }}
temperature = {{ path = ["DS18B20-1", "Temperature"], unit = "C" }}
rssi = {{ topic = "{STATE}", path = "Wifi.Signal", unit = "dBm" }}

[[feed]]
device = "feedbb"
from = "esphome"
topic = "{ESPHOME}"
every_s = 60
distance = {{ unit = "m" }}
battery = {{ topic = "{VOLTS}", unit = "V" }}

[[feed]]
device = "feedcc"
from = "chirpstack"
topic = "{CHIRPSTACK}"
every_s = 900
pressure = {{ path = "object.current_ma", unit = "mA", full_scale_m = 1.0 }}
battery = {{ path = "object.battery_v", unit = "V" }}

[[feed]]
device = "feeddd"
from = "thethings"
topic = "{THINGS}"
every_s = 900
fill = {{ path = "uplink_message.decoded_payload.percent", unit = "%" }}

[[feed]]
device = "feedee"
from = "json"
topic = "{ZIGBEE}"
every_s = 3600
fill = {{ path = "liquid_level_percent", unit = "%" }}
time = {{ path = "last_seen", unit = "iso" }}

[[feed]]
device = "feedff"
from = "json"
topic = "{SHELLY}"
every_s = 900
pressure = {{ path = "voltage", unit = "psi", scale = 1.25, offset = -0.625 }}

[[feed]]
device = "feedgg"
from = "json"
topic = "{RTL_433}"
every_s = 3600
distance = {{ path = "depth_cm", unit = "cm" }}
temperature = {{ path = "temperature_C", unit = "C" }}
time = {{ path = "time", unit = "s" }}
"""

REGISTRY = """\
[[site]]
id = "south"
""" + "".join(
    f"""
[[tank]]
id = "{tank}"
site = "south"
shape = "ibc1000"
empty_l = 20
sensor_height_mm = 1100
[[device]]
id = "{device}"
tank = "{tank}"
unsigned = true
sensor = "{sensor}"
"""
    for tank, device, sensor in (
        ("s-1", "feedaa", "a02yyuw"),
        ("s-2", "feedbb", "a02yyuw"),
        ("s-3", "feedcc", "probe"),
        ("s-4", "feeddd", "probe"),
        ("s-5", "feedee", "a02yyuw"),
        ("s-6", "feedff", "probe"),
        ("s-7", "feedgg", "a02yyuw"),
    )
)


def read(folder: Path, text: str = MAPPING) -> MappingFile:
    """The mapping, from a file in ``folder``."""
    path = folder / "adapters.toml"
    path.write_text(text, "utf-8")
    return mapping.read(path)


def tasmota(distance_cm: float | None, time: str = "2026-11-25T21:00:00") -> bytes:
    fields = {
        "Time": time, "SR04": {"Distance": distance_cm},
        "DS18B20-1": {"Id": "01144A0CB2AA", "Temperature": 11.2}, "TempUnit": "C",
    }  # fmt: skip
    return json.dumps(fields, separators=(",", ":")).encode()


TASMOTA_STATE = (
    b'{"Time":"2026-11-25T21:00:00","Uptime":"0T02:15:08","UptimeSec":8108,"Heap":25,'
    b'"SleepMode":"Dynamic","Sleep":50,"LoadAvg":19,"MqttCount":1,"Wifi":{"AP":1,"SSId":"x",'
    b'"BSSId":"AA:BB:CC:DD:EE:FF","Channel":6,"Mode":"11n","RSSI":72,"Signal":-64,"LinkCount":1}}'
)


def chirpstack(
    milliampere: float, time: str, event_id: str = "57433366-50a6-4dc2-8145-2df1bbc70d9e"
) -> bytes:
    fields: dict[str, Any] = {
        "deduplicationId": event_id,
        "time": time,
        "deviceInfo": {
            "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242", "tenantName": "ChirpStack",
            "applicationId": "17c82e96-be03-4f38-aef3-f83d48582d97", "applicationName": "Tanks",
            "deviceProfileId": "14855bf7-d10d-4aee-b618-ebfcb64dc7ad",
            "deviceProfileName": "Probe", "deviceName": "probe", "devEui": "0101010101010101",
            "tags": {"key": "value"},
        },
        "devAddr": "00189440", "dr": 1, "fCnt": 4, "fPort": 1, "data": "AcICDw==",
        "object": {"current_ma": milliampere, "battery_v": 3.61},
        "rxInfo": [
            {"gatewayId": "0016c001f153a14c", "uplinkId": 4217106255, "rssi": -98, "snr": 1.5},
            {"gatewayId": "0016c001f153a14d", "uplinkId": 4217106256, "rssi": -36, "snr": 10.5},
        ],
        "txInfo": {
            "frequency": 867100000,
            "modulation": {"lora": {"bandwidth": 125000, "spreadingFactor": 11}},
        },
    }  # fmt: skip
    return json.dumps(fields).encode()


def things(percent: float, received_at: str, f_cnt: int | None = 12, **more: Any) -> bytes:
    uplink: dict[str, Any] = {
        "session_key_id": "AXA50tHUQ0XbXw==", "f_port": 1, "f_cnt": f_cnt,
        "frm_payload": "AcICDw==",
        "decoded_payload": {"percent": percent},
        "rx_metadata": [
            {
                "gateway_ids": {"gateway_id": "gtw1", "eui": "9C5C8E00001A05C4"},
                "time": received_at, "timestamp": 2463457000, "rssi": -71, "channel_rssi": -71,
                "snr": 8.2, "uplink_token": "ChIKEA==", "channel_index": 2,
            }
        ],
        "settings": {
            "data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7}},
            "frequency": "868300000", "timestamp": 2463457000,
        },
        "received_at": received_at, "consumed_airtime": "0.056576s",
    }  # fmt: skip
    if f_cnt is None:
        del uplink["f_cnt"]  # zero is absent
    fields = {
        "end_device_ids": {
            "device_id": "tank-9", "application_ids": {"application_id": "my-app"},
            "dev_eui": "0004A30B001C0530", "dev_addr": "00BCB929",
        },
        "correlation_ids": ["as:up:01E0WZGT6Y7657CPFPE5WEYFGE"],
        "received_at": received_at, "uplink_message": uplink, **more,
    }  # fmt: skip
    return json.dumps(fields).encode()


def zigbee(percent: float, last_seen: str | None, **more: Any) -> bytes:
    """A whole state, as Zigbee2MQTT publishes it by default (``cache_state``)."""
    fields = {
        "installation_height": 1.2, "linkquality": 116, "liquid_depth": 0.74,
        "liquid_depth_max": 1, "liquid_level_percent": percent, "liquid_state": "normal",
        "max_set": 90, "min_set": 10, **more,
    }  # fmt: skip
    return json.dumps(fields | ({"last_seen": last_seen} if last_seen else {})).encode()


def shelly(voltage: float | None, **more: Any) -> bytes:
    """The status of one component, on the topic of its own."""
    return json.dumps({"id": 100, "voltage": voltage, **more}).encode()


def rtl_433(depth_cm: int, at: float | str) -> bytes:
    fields = {
        "time": str(at), "model": "Oil-SonicSmart", "id": 10001234, "flags": 128, "maybetemp": 20,
        "temperature_C": 15.0, "binding_countdown": 0, "depth_cm": depth_cm,
    }  # fmt: skip
    return json.dumps(fields).encode()

"""Grafana's provisioning files: data source, where dashboards lie, one alert rule.

No secret is in them: Grafana reads the token from its own environment, NORIA_INFLUXDB_TOKEN.
"""

from typing import Any

import yaml

from dashboards import queries
from dashboards.influxql import SOURCE_UID
from dashboards.panels import SILENT_COUNT_ID
from dashboards.water import UID

FOLDER = "Noria"
TOKEN = "Token $NORIA_INFLUXDB_TOKEN"  # noqa: S105 - the name of a variable
_RULE_SPAN_S = 900  # presence is written every 5 minutes
_HEAD = "# Made by 'noria dashboards write'. Change dashboards/ in Noria, not this file.\n"


def files(influxdb_url: str, database: str) -> dict[str, str]:
    """Relative path -> text of each file that Grafana reads at its start."""
    return {
        "datasources/noria.yaml": _yaml(datasource(influxdb_url, database)),
        "dashboards/noria.yaml": _yaml(provider()),
        "alerting/noria.yaml": _yaml(alerting()),
    }


def datasource(influxdb_url: str, database: str) -> dict[str, Any]:
    """InfluxDB by InfluxQL; the header is right for 1.8 (user:password) and for 2.x alike."""
    source: dict[str, Any] = {
        "name": "Noria",
        "uid": SOURCE_UID,
        "type": "influxdb",
        "access": "proxy",
        "url": influxdb_url,
        "jsonData": {
            "version": "InfluxQL",
            "dbName": database,
            "httpMode": "POST",
            "httpHeaderName1": "Authorization",
        },
        "secureJsonData": {"httpHeaderValue1": TOKEN},
    }
    return {"apiVersion": 1, "datasources": [source]}


def provider() -> dict[str, Any]:
    """Where Grafana finds ``water.json``."""
    return {
        "apiVersion": 1,
        "providers": [
            {
                "name": "noria",
                "folder": FOLDER,
                "type": "file",
                "allowUiUpdates": False,
                "options": {"path": "/etc/grafana/provisioning/dashboards/noria"},
            }
        ],
    }


def alerting() -> dict[str, Any]:
    """One rule: a device is silent, or the gateway itself is.

    No data is an alert of its own, never "resolved": a vanished series is the very thing that we
    watch for. One series for all devices, since Grafana resolves a series that goes missing.
    """
    rule: dict[str, Any] = {
        "uid": "noria-silent",
        "title": "Devices or the gateway are silent",
        "condition": "C",
        "for": "2m",
        "noDataState": "Alerting",
        "execErrState": "Alerting",
        "dashboardUid": UID,
        "panelId": SILENT_COUNT_ID,
        "isPaused": False,
        "labels": {"source": "noria"},
        "annotations": {
            "summary": "Noria: devices broke their promise to speak, or the gateway is away.",
            "description": "Open the dashboard: which ones, and when they were last heard.",
        },
        "data": [_question(), _reduced(), _threshold()],
    }
    group = {"orgId": 1, "name": "noria", "folder": FOLDER, "interval": "1m", "rules": [rule]}
    return {"apiVersion": 1, "groups": [group]}


def _question() -> dict[str, Any]:
    model = {
        "refId": "A",
        "query": queries.SILENT_COUNT,
        "rawQuery": True,
        "resultFormat": "time_series",
        "datasource": {"type": "influxdb", "uid": SOURCE_UID},
    }
    return _step("A", SOURCE_UID, model)


def _reduced() -> dict[str, Any]:
    return _step(
        "B", "__expr__", {"refId": "B", "type": "reduce", "expression": "A", "reducer": "last"}
    )


def _threshold() -> dict[str, Any]:
    above: dict[str, Any] = {"evaluator": {"type": "gt", "params": [0]}}
    model = {"refId": "C", "type": "threshold", "expression": "B", "conditions": [above]}
    return _step("C", "__expr__", model)


def _step(ref: str, source: str, model: dict[str, Any]) -> dict[str, Any]:
    return {
        "refId": ref,
        "datasourceUid": source,
        "relativeTimeRange": {"from": _RULE_SPAN_S, "to": 0},
        "model": model,
    }


def _yaml(value: dict[str, Any]) -> str:
    return _HEAD + yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)

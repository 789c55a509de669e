"""Grafana's provisioning files: data source, folder of dashboards, one alert rule.

They have no secret: Grafana reads the token from its own environment, NORIA_INFLUXDB_TOKEN.
"""

from typing import Any

import yaml

from dashboards import queries
from dashboards.influxql import SOURCE_UID
from dashboards.panels import SILENT_COUNT_ID
from dashboards.water import UID

FOLDER = "Noria"
_TOKEN = "Token $NORIA_INFLUXDB_TOKEN"  # noqa: S105 - the name of a variable
_RULE_SPAN_S = 900  # presence is written every 5 minutes
_HEAD = "# Made by 'noria dashboards write'. Change dashboards/ in Noria, not this file.\n"


def files(influxdb_url: str, database: str) -> dict[str, str]:
    """The files that Grafana reads at its start: relative path -> text."""
    return {
        "datasources/noria.yaml": _yaml(_datasource(influxdb_url, database)),
        "dashboards/noria.yaml": _yaml(_provider()),
        "alerting/noria.yaml": _yaml(alerting()),
    }


def _datasource(influxdb_url: str, database: str) -> dict[str, Any]:
    """InfluxDB with InfluxQL; the header is valid for 1.8 (user:password) and 2.x."""
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
        "secureJsonData": {"httpHeaderValue1": _TOKEN},
    }
    return {"apiVersion": 1, "datasources": [source]}


def _provider() -> dict[str, Any]:
    """The folder of ``water.json``."""
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
    """One rule: a device or the gateway itself is silent.

    No data alerts as well and never resolves an alert, since it means that the gateway is down.
    The query has one series for all devices, since Grafana resolves the alert of a missing series.
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
        "data": [_query(), _reduce(), _threshold()],
    }
    group = {"orgId": 1, "name": "noria", "folder": FOLDER, "interval": "1m", "rules": [rule]}
    return {"apiVersion": 1, "groups": [group]}


def _query() -> dict[str, Any]:
    model = {
        "refId": "A",
        "query": queries.SILENT_COUNT,
        "rawQuery": True,
        "resultFormat": "time_series",
        "datasource": {"type": "influxdb", "uid": SOURCE_UID},
    }
    return _step("A", SOURCE_UID, model)


def _reduce() -> dict[str, Any]:
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

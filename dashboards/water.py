"""The dashboard: levels, litres drawn per day, silent devices, incidents."""

import json
from collections.abc import Mapping
from typing import Any

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import panels, queries
from dashboards.influxql import SOURCE, Target

UID = "noria-water"


def dashboard(
    names: Mapping[str, str] | None = None, timezone: str = "Europe/Paris"
) -> dict[str, Any]:
    """The dashboard's JSON. ``names``: random id of a tank -> name to show.

    Without ``names`` Grafana stores random ids only, like InfluxDB.
    """
    built = (
        build.Dashboard("Noria: water")
        .uid(UID)
        .description("Litres, draws, silent devices and incidents, as Noria measured them.")
        .tags(["noria", "water"])
        .readonly()
        .timezone(timezone)
        .time("now-7d", "now")
        .refresh("1m")
        .annotation(_marks())
    )
    for panel in panels.all_panels(names or {}, timezone):
        built.with_panel(panel)
    return json.loads(json.dumps(built.build(), cls=JSONEncoder, sort_keys=True))


def _marks() -> build.AnnotationQuery:
    return (
        build.AnnotationQuery()
        .name("Incidents")
        .datasource(SOURCE)
        .enable(True)
        .icon_color("red")
        .target(Target(queries.INCIDENT_MARKS, "table"))
    )

"""The panels, each a question that a coordinator asks; 24 columns wide."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common, units
from grafana_foundation_sdk.models import dashboard as model

from dashboards import queries
from dashboards.influxql import SOURCE, Target

Panel: TypeAlias = Builder[model.Panel]
SILENT_COUNT_ID = 1
"""The panel that the alert rule points at."""
_GAP_MS = 2 * 3600 * 1000.0  # a longer silence is a gap in the line, never a straight guess


def all_of(names: Mapping[str, str], timezone: str) -> list[Panel]:
    """The panels in reading order. ``names``: random id of a tank -> name to show."""
    return [
        _silent_count().id(SILENT_COUNT_ID),
        _now(names).id(2),
        _levels(names).id(3),
        _drawn(names, timezone).id(4),
        _silent(names).id(5),
        _incidents(names).id(6),
    ]


def _silent_count() -> stat.Panel:
    return (
        stat.Panel()
        .title("Silent now")
        .description("Devices that broke their promise to speak. No figure: no gateway writes.")
        .datasource(SOURCE)
        .with_target(Target(queries.SILENT_COUNT, "time_series"))
        .no_value("gateway silent")
        .thresholds(_thresholds({None: "green", 1: "orange"}))
        .color_mode(common.BigValueColorMode.BACKGROUND)
        .graph_mode(common.BigValueGraphMode.NONE)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
        .span(4)
        .height(8)
    )


def _now(names: Mapping[str, str]) -> table.Panel:
    panel = (
        table.Panel()
        .title("Tanks, as last heard")
        .datasource(SOURCE)
        .with_target(Target(queries.NOW, "table"))
        .override_by_name("volume_l", [_value("unit", units.Litre), _value("decimals", 0)])
        .override_by_name("pct", [_value("unit", units.Percent), _value("decimals", 0)])
        .override_by_name("heard", [_value("unit", units.DateTimeFromNow)])
        .override_by_name("Time", [_value("custom.hidden", True)])
        .span(20)
        .height(8)
    )
    return _named(panel, names)


def _levels(names: Mapping[str, str]) -> timeseries.Panel:
    panel = (
        timeseries.Panel()
        .title("Litres in each tank")
        .datasource(SOURCE)
        .with_target(Target(queries.LEVELS, "time_series", alias="$tag_tank"))
        .unit(units.Litre)
        .min(0)
        .line_width(2)
        .fill_opacity(0)
        .show_points(common.VisibilityMode.AUTO)
        .span_nulls(_GAP_MS)
        .legend(_legend())
        .span(24)
        .height(10)
    )
    return _renamed(panel, names)


def _drawn(names: Mapping[str, str], timezone: str) -> timeseries.Panel:
    stacking = common_builders.StackingConfig().mode(common.StackingMode.NORMAL)
    query = queries.DRAWN_PER_DAY.format(timezone=timezone)
    panel = (
        timeseries.Panel()
        .title("Litres drawn per day")
        .description("Drawdown at the taps. It is not consumption; drains and leaks are not in it.")
        .datasource(SOURCE)
        .with_target(Target(query, "time_series", alias="$tag_tank"))
        .unit(units.Litre)
        .min(0)
        .draw_style(common.GraphDrawStyle.BARS)
        .fill_opacity(80)
        .stacking(stacking)
        .legend(_legend())
        .span(24)
        .height(9)
    )
    return _renamed(panel, names)


def _silent(names: Mapping[str, str]) -> table.Panel:
    panel = (
        table.Panel()
        .title("Silent devices")
        .datasource(SOURCE)
        .with_target(Target(queries.SILENT, "table"))
        .no_value("every device speaks")
        .override_by_name("heard", [_value("unit", units.DateTimeFromNow)])
        .override_by_name("due", [_value("unit", units.DateTimeFromNow)])
        .override_by_name("battery_mv", [_value("unit", "mV")])
        .override_by_name("Time", [_value("custom.hidden", True)])
        .span(12)
        .height(9)
    )
    return _named(panel, names)


def _incidents(names: Mapping[str, str]) -> table.Panel:
    panel = (
        table.Panel()
        .title("Incidents")
        .description("Measured and inferred: what happened and when, never who.")
        .datasource(SOURCE)
        .with_target(Target(queries.INCIDENTS, "table"))
        .no_value("none in this time")
        .override_by_name("Time", [_value("displayName", "opened")])
        .override_by_name("probability", [_value("unit", units.PercentUnit)])
        .override_by_name("closed", [_value("unit", "dateTimeAsIso"), _zero("-")])
        .override_by_name("open", [_mapping({"1": "open", "0": "closed"})])
        .override_by_name("claimed", [_mapping({"1": "somebody goes", "0": "nobody yet"})])
        .span(12)
        .height(9)
    )
    return _named(panel, names)


def _legend() -> common_builders.VizLegendOptions:
    return (
        common_builders.VizLegendOptions()
        .show_legend(True)
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
    )


def _thresholds(steps: Mapping[float | None, str]) -> build.ThresholdsConfig:
    found = [model.Threshold(value=value, color=color) for value, color in steps.items()]
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(found)


def _value(name: str, value: Any) -> model.DynamicConfigValue:
    return model.DynamicConfigValue(id_val=name, value=value)


def _mapping(texts: Mapping[str, str]) -> model.DynamicConfigValue:
    options = {value: model.ValueMappingResult(text=text) for value, text in texts.items()}
    return _value("mappings", [model.ValueMap(options=options)])


def _zero(text: str) -> model.DynamicConfigValue:
    return _mapping({"0": text})


def _named(panel: table.Panel, names: Mapping[str, str]) -> table.Panel:
    """The column ``tank`` under names of the operator's."""
    return panel.override_by_name("tank", [_mapping(names)]) if names else panel


def _renamed(panel: timeseries.Panel, names: Mapping[str, str]) -> timeseries.Panel:
    """Each line under a name of the operator's."""
    for rid, name in names.items():
        panel.override_by_name(rid, [_value("displayName", name)])
    return panel

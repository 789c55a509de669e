"""The panels, each for one question of a coordinator; the dashboard is 24 columns wide."""

from collections.abc import Mapping
from typing import TypeAlias

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common, units
from grafana_foundation_sdk.models import dashboard as model

from dashboards import queries
from dashboards.influxql import SOURCE, Target

_Panel: TypeAlias = Builder[model.Panel]
SILENT_COUNT_ID = 1
"""The panel that the alert rule links to."""
_GAP_MS = 2 * 3600 * 1000.0  # after a longer silence the line has a gap instead of an interpolation


def all_panels(names: Mapping[str, str], timezone: str) -> list[_Panel]:
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
        .override_by_name("volume_l", [_option("unit", units.Litre), _option("decimals", 0)])
        .override_by_name("pct", [_option("unit", units.Percent), _option("decimals", 0)])
        .override_by_name("heard", [_option("unit", units.DateTimeFromNow)])
        .override_by_name("Time", [_option("custom.hidden", True)])
        .span(20)
        .height(8)
    )
    return _name_column(panel, names)


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
    return _name_lines(panel, names)


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
    return _name_lines(panel, names)


def _silent(names: Mapping[str, str]) -> table.Panel:
    panel = (
        table.Panel()
        .title("Silent devices")
        .datasource(SOURCE)
        .with_target(Target(queries.SILENT, "table"))
        .no_value("every device speaks")
        .override_by_name("heard", [_option("unit", units.DateTimeFromNow)])
        .override_by_name("due", [_option("unit", units.DateTimeFromNow)])
        .override_by_name("battery_mv", [_option("unit", "mV")])
        .override_by_name("Time", [_option("custom.hidden", True)])
        .span(12)
        .height(9)
    )
    return _name_column(panel, names)


def _incidents(names: Mapping[str, str]) -> table.Panel:
    panel = (
        table.Panel()
        .title("Incidents")
        .description("Measured and inferred: what happened and when, never who.")
        .datasource(SOURCE)
        .with_target(Target(queries.INCIDENTS, "table"))
        .no_value("none in this time")
        .override_by_name("Time", [_option("displayName", "opened")])
        .override_by_name("probability", [_option("unit", units.PercentUnit)])
        .override_by_name("closed", [_option("unit", "dateTimeAsIso"), _texts_for({"0": "-"})])
        .override_by_name("open", [_texts_for({"1": "open", "0": "closed"})])
        .override_by_name("claimed", [_texts_for({"1": "somebody goes", "0": "nobody yet"})])
        .span(12)
        .height(9)
    )
    return _name_column(panel, names)


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


def _option(name: str, value: object) -> model.DynamicConfigValue:
    return model.DynamicConfigValue(id_val=name, value=value)


def _texts_for(texts: Mapping[str, str]) -> model.DynamicConfigValue:
    options = {value: model.ValueMappingResult(text=text) for value, text in texts.items()}
    return _option("mappings", [model.ValueMap(options=options)])


def _name_column(panel: table.Panel, names: Mapping[str, str]) -> table.Panel:
    """Shows the operator's names in the column ``tank``."""
    return panel.override_by_name("tank", [_texts_for(names)]) if names else panel


def _name_lines(panel: timeseries.Panel, names: Mapping[str, str]) -> timeseries.Panel:
    """Shows the operator's name of each line."""
    for rid, name in names.items():
        panel.override_by_name(rid, [_option("displayName", name)])
    return panel

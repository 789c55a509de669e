"""An InfluxQL target: the SDK has no query type for InfluxDB."""

from typing import Literal

from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models.common import DataSourceRef

SOURCE_UID = "noria-influxdb"
SOURCE = DataSourceRef(type_val="influxdb", uid=SOURCE_UID)
"""The data source that ``dashboards.provisioning`` describes."""

_Format = Literal["time_series", "table"]


class InfluxQL(variants.Dataquery):
    """One query in the form of Grafana's InfluxDB data source."""

    def __init__(self, query: str, form: _Format, ref_id: str = "A", alias: str = "") -> None:
        self.query = query
        self.form: _Format = form
        self.ref_id = ref_id
        self.alias = alias

    def to_json(self) -> dict[str, object]:
        """The target in a dashboard's JSON."""
        return {
            "refId": self.ref_id,
            "datasource": SOURCE,
            "query": self.query,
            "rawQuery": True,
            "resultFormat": self.form,
            "alias": self.alias,
        }


class Target(builder.Builder[variants.Dataquery]):
    """The builder that a panel expects."""

    def __init__(self, query: str, form: _Format, alias: str = "") -> None:
        self._query = InfluxQL(query, form, alias=alias)

    def build(self) -> variants.Dataquery:
        """The query."""
        return self._query

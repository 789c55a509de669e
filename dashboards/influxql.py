"""An InfluxQL target: the SDK knows no InfluxDB query of its own."""

from typing import Any, Literal, Self

from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.cog.runtime import DataqueryConfig
from grafana_foundation_sdk.models.common import DataSourceRef

SOURCE_UID = "noria-influxdb"
SOURCE = DataSourceRef(type_val="influxdb", uid=SOURCE_UID)
"""The data source that ``dashboards.provisioning`` describes."""

Format = Literal["time_series", "table"]


class InfluxQL(variants.Dataquery):
    """One query as Grafana's InfluxDB data source takes it."""

    def __init__(self, query: str, form: Format, ref_id: str = "A", alias: str = "") -> None:
        self.query = query
        self.form: Format = form
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

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """A target read back; for the SDK's ``Dashboard.from_json``."""
        return cls(data["query"], data["resultFormat"], data["refId"], data["alias"])


class Target(builder.Builder[variants.Dataquery]):
    """The builder that panels take."""

    def __init__(self, query: str, form: Format, alias: str = "") -> None:
        self._query = InfluxQL(query, form, alias=alias)

    def build(self) -> variants.Dataquery:
        """The query."""
        return self._query


def variant() -> DataqueryConfig:
    """Lets the SDK read these targets back (``cog.runtime.Runtime``)."""
    return DataqueryConfig(identifier="influxdb", from_json_hook=InfluxQL.from_json)

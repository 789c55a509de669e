"""The InfluxDB to use, and error messages that name the remedy."""

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.errors import StoreError

WRITE_TIMEOUT_S = 10.0
"""A write that hangs delays the end of the program."""
QUERY_TIMEOUT_S = 60.0
"""Dropping a measurement of years takes a while."""

SetAside = Callable[[str, str], None]
"""Stores a line that InfluxDB will never accept, with the reason."""

_REMEDIES = {
    401: "it refuses the token: check influxdb_token (1.8: user:password)",
    403: "the token may not do this: give it read and write on the bucket",
    404: "it has no such bucket or organisation: check influxdb_bucket and influxdb_org",
    413: "it refuses the size of one line",
    429: "it asks for patience",
}


@dataclass(frozen=True, slots=True)
class Access:
    """The settings ``influxdb_*``. ``bucket`` is ``database/policy`` on 1.8, where org is ``-``."""

    url: str
    org: str
    bucket: str
    token: str = field(repr=False)

    @property
    def database(self) -> str:
        """The bucket's name in InfluxQL."""
        return self.bucket.partition("/")[0]

    @property
    def policy(self) -> str:
        """The retention policy of 1.8, "" for the default."""
        return self.bucket.partition("/")[2]

    def unreachable(self, error: Exception) -> StoreError:
        """The error when no answer came."""
        short = str(error).split(": ", 1)[-1][:200]
        return StoreError(f"InfluxDB at {self.url} cannot be reached: {short}")

    def unusable(self, error: Exception) -> StoreError:
        """The error when nothing could be asked, for a reason of the settings."""
        detail = f"{type(error).__name__}: {error}"[:200]
        return StoreError(
            f"InfluxDB at {self.url} cannot be asked: {detail}; check influxdb_token and "
            f"influxdb_url for letters that do not belong there"
        )

    def refuses_all(self, number: int, reason: str) -> StoreError:
        """The error when every line is refused, as from a bucket with other types."""
        return StoreError(
            f"InfluxDB at {self.url}, bucket {self.bucket}, refuses all of {number} lines: {reason}"
        )

    def refused(self, status: int, body: str) -> StoreError:
        """The error when InfluxDB answered with a failure."""
        remedy = _REMEDIES.get(status, "see its log")
        detail = " ".join(body.split())[:300]
        return StoreError(
            f"InfluxDB at {self.url}, bucket {self.bucket}, answers {status}: {remedy} ({detail})"
        )

"""InfluxQL queries over ``/query``, which 1.8+, 2.x and 3 Core all serve."""

import json
from collections.abc import Iterator
from typing import Any

import urllib3

from gateway.errors import StoreError
from gateway.stores.influxdb.access import QUERY_TIMEOUT_S, Access
from gateway.stores.influxdb.line import Row

_CHUNK_ROWS = "5000"
_NO_DATABASE_YET = "database not found"


class QueryClient:
    """Runs InfluxQL on one bucket; safe from several threads. Raises StoreError."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._http = urllib3.PoolManager(timeout=QUERY_TIMEOUT_S, retries=False)

    def run(self, *statements: str) -> list[Row]:
        """All rows; ``time`` is nanoseconds, a group's tags are added to its fields."""
        return list(self.stream(*statements))

    def stream(self, *statements: str) -> Iterator[Row]:
        """As ``run``, row by row, for answers that do not fit in memory."""
        answer = self._post(";".join(statements))
        try:
            if answer.status != 200:
                body = answer.read(2000).decode("utf-8", "replace")
                raise self._access.refused(answer.status, body)
            for line in _lines(answer):
                for result in json.loads(line).get("results", ()):
                    yield from self._rows(result)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._access.unreachable(error) from error
        except ValueError as error:
            raise StoreError(f"InfluxDB at {self._access.url} broke off: {error}") from error
        finally:
            answer.close()

    def close(self) -> None:
        """Close connections."""
        self._http.clear()

    def _post(self, query: str) -> urllib3.BaseHTTPResponse:
        fields = {
            "db": self._access.database, "q": query, "epoch": "ns", "chunked": "true",
            "chunk_size": _CHUNK_ROWS,
        }  # fmt: skip
        if self._access.policy:
            fields["rp"] = self._access.policy
        try:
            return self._http.request(
                "POST",
                f"{self._access.url}/query",
                fields=fields,
                encode_multipart=False,
                headers={"Authorization": f"Token {self._access.token}"},
                preload_content=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._access.unreachable(error) from error

    def _rows(self, result: dict[str, Any]) -> Iterator[Row]:
        error = result.get("error")
        if error and _NO_DATABASE_YET not in error:
            raise self._access.refused(200, error)
        for series in result.get("series", ()):
            tags: Row = series.get("tags", {})
            for values in series["values"]:
                yield dict(zip(series["columns"], values, strict=True)) | tags


def _lines(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """Each chunk of the answer is one JSON document on a line of its own."""
    rest = b""
    for block in answer.stream(65536):
        *whole, rest = (rest + block).split(b"\n")
        yield from (line for line in whole if line.strip())
    if rest.strip():
        yield rest

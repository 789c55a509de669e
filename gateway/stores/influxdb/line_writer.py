"""Writes lines until each is durable or proven unusable.

Through ``influxdb-client`` in SYNCHRONOUS mode: its batching mode loses data silently. Nothing
here retries: after a ``StoreError`` the caller writes the same lines again, which is idempotent.
"""

from collections.abc import Sequence
from typing import Any

import urllib3
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from gateway.errors import StoreError
from gateway.stores.influxdb.access import WRITE_TIMEOUT_S, Access, SetAside

_LINES_PER_REQUEST = 5000
# In the body of 400 and 422 when single lines are at fault; other bodies concern the server.
_LINE_ERRORS = ("unable to parse", "partial write", "type conflict", "retention", "dropped")
_FULL = "limit exceeded"  # the operator lifts it, the lines are good
_TOO_LARGE = 413


class LineWriter:
    """Writes to one bucket; creates it where it is missing and the token permits that."""

    def __init__(self, access: Access, set_aside: SetAside) -> None:
        self._access = access
        self._set_aside = set_aside
        # Any: the library annotates little, and nothing strictly.
        self._client: Any = InfluxDBClient(
            url=access.url, token=access.token, org=access.org, timeout=int(WRITE_TIMEOUT_S * 1000)
        )
        self._api: Any = self._client.write_api(write_options=SYNCHRONOUS)

    def write(self, lines: Sequence[str]) -> None:
        """Write lines with nanoseconds; returns when each is durable or set aside.

        Raises StoreError.
        """
        for start in range(0, len(lines), _LINES_PER_REQUEST):
            self._write_or_halve(lines[start : start + _LINES_PER_REQUEST])

    def close(self) -> None:
        """Close connections."""
        self._api.close()
        self._client.close()

    def _write_or_halve(self, lines: Sequence[str]) -> None:
        """Part of a refused batch *was* written; writing it again replaces equal rows."""
        refusal = self._refusal_of(lines)
        if refusal is None:
            return
        if len(lines) == 1:
            self._set_aside(lines[0], refusal)
            return
        middle = len(lines) // 2
        self._write_or_halve(lines[:middle])
        self._write_or_halve(lines[middle:])

    def _refusal_of(self, lines: Sequence[str], *, may_create: bool = True) -> str | None:
        """None when written; the reason when lines are at fault. Else raises StoreError."""
        try:
            self._api.write(
                bucket=self._access.bucket, record="\n".join(lines).encode(), write_precision="ns"
            )
        except ApiException as error:
            status, body = _answer(error)
            if status == 404 and may_create:
                self._create_bucket()
                return self._refusal_of(lines, may_create=False)
            if _lines_at_fault(status, body):
                return f"{status} {' '.join(body.split())[:300]}"
            raise self._access.refused(status, body) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._access.unreachable(error) from error
        return None

    def _create_bucket(self) -> None:
        """Create the missing database (1.8) or bucket (2.x). Raises StoreError."""
        access = self._access
        try:
            if access.org == "-":
                name = access.database.replace('"', '\\"')
                query_params = [("q", f'CREATE DATABASE "{name}"')]
                headers = {"Authorization": f"Token {access.token}"}
                self._client.api_client.call_api(
                    "/query", "POST", query_params=query_params, header_params=headers
                )
            else:
                self._client.buckets_api().create_bucket(bucket_name=access.bucket, org=access.org)
        except (ApiException, InfluxDBError) as error:
            detail = _answer(error)[1] if isinstance(error, ApiException) else str(error)
            missing = access.refused(404, detail)
            raise StoreError(f"{missing}; making it is not permitted either") from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise access.unreachable(error) from error


def _answer(error: Any) -> tuple[int, str]:
    """Status and body of an ``ApiException``; status 0 when there was no answer."""
    return int(error.status or 0), str(error.body or error.reason or "")


def _lines_at_fault(status: int, body: str) -> bool:
    if status == _TOO_LARGE:
        return True
    return status in (400, 422) and _FULL not in body and any(t in body for t in _LINE_ERRORS)

"""Writes lines until each is durable or proven unusable.

Through ``influxdb-client`` in SYNCHRONOUS mode: its batching mode loses data silently. Nothing
here retries: after a ``StoreError`` the caller writes the same lines again, which is idempotent.
A refused line is at fault itself where another one is accepted; what the server answers to every
line is a fault of the installation, and none is given up.
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
_TOO_OLD = "retention"  # what the bucket no longer keeps, whatever the server accepts
_TOO_LARGE = 413


class LineWriter:
    """Writes to one bucket; creates it where it is missing and the token permits that."""

    def __init__(self, access: Access, set_aside: SetAside) -> None:
        self._access = access
        self._set_aside = set_aside
        self._refused: list[tuple[str, str]] = []  # lines and reasons, in the call under way
        self._accepted = ""  # a line, to be written again where every one is refused
        # Any: the library annotates little, and nothing strictly.
        self._client: Any = InfluxDBClient(
            url=access.url, token=access.token, org=access.org, timeout=int(WRITE_TIMEOUT_S * 1000)
        )
        self._api: Any = self._client.write_api(write_options=SYNCHRONOUS)

    def write(self, lines: Sequence[str]) -> None:
        """Write lines with nanoseconds; returns when each is durable or set aside.

        Raises StoreError.
        """
        self._refused = []
        for start in range(0, len(lines), _LINES_PER_REQUEST):
            self._write_or_halve(lines[start : start + _LINES_PER_REQUEST])
        if len(self._refused) == len(lines) and self._refused and not self._accepts_others():
            raise self._access.refuses_all(len(lines), self._refused[0][1])
        for line, reason in self._refused:
            self._set_aside(line, reason)

    def close(self) -> None:
        """Close connections."""
        self._api.close()
        self._client.close()

    def _write_or_halve(self, lines: Sequence[str]) -> None:
        """Part of a refused batch *was* written; writing it again replaces equal rows."""
        refusal = self._refusal_of(lines)
        if refusal is None:
            self._accepted = lines[-1]
            return
        if len(lines) == 1:
            self._refused.append((lines[0], refusal))
            return
        middle = len(lines) // 2
        self._write_or_halve(lines[:middle])
        self._write_or_halve(lines[middle:])

    def _refusal_of(self, lines: Sequence[str], *, may_create: bool = True) -> str | None:
        """None when written; the reason when lines are at fault. Else raises StoreError."""
        record = "\n".join(lines).encode()
        try:
            self._api.write(bucket=self._access.bucket, record=record, write_precision="ns")
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
        except Exception as error:
            # The lines are bytes by now: it comes from the settings, such as a letter in the token.
            raise self._access.unusable(error) from error
        return None

    def _accepts_others(self) -> bool:
        """Whether a line that was accepted before is so now, or the lines are too old for all."""
        if all(_TOO_OLD in reason for _, reason in self._refused):
            return True
        return bool(self._accepted) and self._refusal_of([self._accepted]) is None

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

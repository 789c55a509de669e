"""Writes lines until every one of them is safe or proven unusable.

Through ``influxdb-client`` in SYNCHRONOUS mode: its batching mode loses data silently. Nothing
here waits: a ``StoreError`` tells the caller to repeat the same lines later, which is harmless.
"""

from collections.abc import Callable, Sequence
from concurrent import futures
from typing import Any

import urllib3
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from gateway.errors import StoreError
from gateway.stores.influxdb.access import WRITE_TIMEOUT_S, Access, SetAside

_LINES_A_REQUEST = 5000
AT_ONCE = 2
"""Requests: while one is being sent InfluxDB works on the other."""
# What 400 and 422 say when single lines are at fault; anything else is about the server.
_ABOUT_LINES = ("unable to parse", "partial write", "type conflict", "retention", "dropped")
_FULL = "limit exceeded"  # the operator lifts it, the lines are good
_TOO_LARGE = 413


class LineWriter:
    """Writes to one bucket, and makes it where it is missing and that is permitted."""

    def __init__(self, access: Access, set_aside: SetAside) -> None:
        self._access = access
        self._set_aside = set_aside
        # Any: the library annotates little, and nothing strictly.
        self._client: Any = InfluxDBClient(
            url=access.url, token=access.token, org=access.org, timeout=int(WRITE_TIMEOUT_S * 1000)
        )
        self._api: Any = self._client.write_api(write_options=SYNCHRONOUS)
        self._pool = futures.ThreadPoolExecutor(AT_ONCE, "influxdb")

    def write(self, lines: Sequence[str]) -> None:
        """Write lines with nanoseconds; returns when each is safe or set aside, else StoreError."""
        self.start(lines)()

    def start(self, *rows: Sequence[str]) -> Callable[[], None]:
        """Send them; calling what is returned is to ``write`` them, as far as is left to do.

        Each row of lines goes in its order, whatever becomes of the others meanwhile.
        """
        sent = [self._pool.submit(self._write_all, lines) for lines in rows if lines]

        def written() -> None:
            # All end before an error is raised: nothing is written behind the caller's back.
            futures.wait(sent)
            for one in sent:
                one.result()

        return written

    def close(self) -> None:
        """Close connections."""
        self._pool.shutdown()
        self._api.close()
        self._client.close()

    def _write_all(self, lines: Sequence[str]) -> None:
        for start in range(0, len(lines), _LINES_A_REQUEST):
            self._write_or_halve(lines[start : start + _LINES_A_REQUEST])

    def _write_or_halve(self, lines: Sequence[str]) -> None:
        """Part of a refused batch *was* written; writing it again replaces it by itself."""
        refusal = self._refusal_of(lines)
        if refusal is None:
            return
        if len(lines) == 1:
            self._set_aside(lines[0], refusal)
            return
        middle = len(lines) // 2
        self._write_or_halve(lines[:middle])
        self._write_or_halve(lines[middle:])

    def _refusal_of(self, lines: Sequence[str], *, may_make: bool = True) -> str | None:
        """None when written; why, when lines are at fault. Raises StoreError when it may pass."""
        try:
            self._api.write(
                bucket=self._access.bucket,
                record="\n".join(lines).encode(),
                write_precision="ns",
            )
        except ApiException as error:
            status, body = _answer(error)
            if status == 404 and may_make:
                self._make_bucket()
                return self._refusal_of(lines, may_make=False)
            if _lines_at_fault(status, body):
                return f"{status} {' '.join(body.split())[:300]}"
            raise self._access.refused(status, body) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._access.away(error) from error
        return None

    def _make_bucket(self) -> None:
        """Make the missing database (1.8) or bucket (2.x); a refusal is told in words."""
        access = self._access
        try:
            if access.org == "-":
                self._make_database()
            else:
                self._client.buckets_api().create_bucket(bucket_name=access.bucket, org=access.org)
        except (ApiException, InfluxDBError) as error:
            said = _answer(error)[1] if isinstance(error, ApiException) else str(error)
            missing = access.refused(404, said)
            raise StoreError(f"{missing}; making it is not permitted either") from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise access.away(error) from error

    def _make_database(self) -> None:
        name = self._access.database.replace('"', '\\"')
        self._client.api_client.call_api(
            "/query",
            "POST",
            query_params=[("q", f'CREATE DATABASE "{name}"')],
            header_params={"Authorization": f"Token {self._access.token}"},
        )


def _answer(error: Any) -> tuple[int, str]:
    """Status and body of an ``ApiException``; 0 when there was no answer."""
    return int(error.status or 0), str(error.body or error.reason or "")


def _lines_at_fault(status: int, body: str) -> bool:
    if status == _TOO_LARGE:
        return True
    return status in (400, 422) and _FULL not in body and any(t in body for t in _ABOUT_LINES)

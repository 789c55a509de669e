"""Pushes the dashboard through ``grafana-api``, which only this module imports.

Data source and alert rule are provisioned by files (``dashboards.provisioning``): Grafana does not
let users edit provisioned ones, and reads their secrets from its own environment.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from grafana_api.grafana_api import (  # pyright: ignore[reportMissingTypeStubs] - untyped
    GrafanaClientError,
    GrafanaException,
)
from grafana_api.grafana_face import (  # pyright: ignore[reportMissingTypeStubs] - untyped
    GrafanaFace,
)

from dashboards.provisioning import FOLDER

_TIMEOUT_S = 20.0
_FOLDER_UID = "noria"
_NOT_FOUND = 404


class PushError(Exception):
    """Grafana refused or did not answer; the message has the reason and the remedy."""


def push(url: str, token: str, dashboard: Mapping[str, Any]) -> str:
    """Create or replace ``dashboard`` in the folder Noria; returns its address.

    Idempotent. Raises PushError.
    """
    grafana = _client(url, token)
    try:
        _create_folder(grafana)
        answer = grafana.dashboard.update_dashboard(
            {
                "dashboard": {**dashboard, "id": None},
                "folderUid": _FOLDER_UID,
                "overwrite": True,
                "message": "noria dashboards push",
            }
        )
    except GrafanaException as error:
        raise PushError(_message(url, error)) from error
    except (requests.RequestException, ValueError) as error:
        raise PushError(f"no Grafana answers at {url}: {error}; check --url") from error
    return url.rstrip("/") + str(answer.get("url", ""))


def _create_folder(grafana: Any) -> None:
    try:
        grafana.folder.get_folder(_FOLDER_UID)
    except GrafanaClientError as error:
        if error.status_code != _NOT_FOUND:
            raise
        grafana.folder.create_folder(FOLDER, _FOLDER_UID)


def _client(url: str, token: str) -> Any:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PushError(f"--url {url}: write it as https://grafana.example.org")
    path = parts.path.strip("/")
    return GrafanaFace(
        auth=token,
        host=parts.hostname,
        port=parts.port,
        protocol=parts.scheme,
        url_path_prefix=f"{path}/" if path else "",
        timeout=_TIMEOUT_S,
    )


def _message(url: str, error: Any) -> str:
    remedy = {
        401: "it refuses the token: make a service account with role Editor",
        403: "the token may not do this: give its service account the role Editor",
        412: "somebody else changed the dashboard meanwhile: push again",
    }.get(int(error.status_code), "see Grafana's log")
    return f"Grafana at {url} answers {error.status_code}: {remedy} ({error.message})"

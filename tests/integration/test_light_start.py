"""What is not configured is not loaded: gateway and server run on small machines."""

import subprocess
import sys

import pytest

NEITHER = {
    "influxdb_client", "reactivex", "urllib3", "apprise", "requests", "psycopg", "sqlalchemy.orm",
    "sqlalchemy.dialects.postgresql", "amqtt", "alembic", "mako",
    "grafana_foundation_sdk", "grafana_api", "yaml",
}  # fmt: skip
GATEWAY = NEITHER | {"fastapi", "uvicorn", "jinja2", "pydantic"}
SERVER = NEITHER | {"cryptography", "paho"}


@pytest.mark.parametrize(
    ("program", "spared"), [("gateway.program.gateway", GATEWAY), ("server.program", SERVER)]
)
def test_a_program_starts_without_what_only_others_need(program: str, spared: set[str]) -> None:
    loaded = _loaded(program)
    assert program in loaded
    assert sorted(spared & loaded) == []


def test_what_is_configured_is_loaded_before_the_program_is_ready() -> None:
    """A library that is missing or broken then stops the start, with its message."""
    opens = "from gateway.alerts.channels.factory import open_channels; open_channels(('json://localhost',))"
    keeps = (
        "from gateway.stores.influxdb import Access, InfluxStore;"
        "InfluxStore(Access('http://127.0.0.1:1', '-', 'noria', 'a:b'), None, None)"
    )
    assert "apprise" in _loaded("sys", opens)
    assert {"influxdb_client", "urllib3"} <= _loaded("sys", keeps)


def _loaded(module: str, then: str = "") -> set[str]:
    code = f"import sys, {module}\n{then}\nprint(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(found.stdout.split())

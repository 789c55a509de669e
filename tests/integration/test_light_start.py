"""Libraries for parts that are not configured are not loaded, to save memory."""

import subprocess
import sys

import pytest

NEITHER = {
    "influxdb_client", "reactivex", "urllib3", "apprise", "requests", "psycopg", "sqlalchemy.orm",
    "sqlalchemy.dialects.postgresql", "amqtt", "alembic", "mako",
    "grafana_foundation_sdk", "grafana_api", "yaml", "cryptography", "babel",
}  # fmt: skip
GATEWAY = NEITHER | {"fastapi", "uvicorn", "jinja2", "pydantic"}
SERVER = NEITHER | {"paho"}


@pytest.mark.parametrize(
    ("program", "spared"), [("gateway.program.gateway", GATEWAY), ("server.program", SERVER)]
)
def test_a_program_loads_no_library_that_it_does_not_need(program: str, spared: set[str]) -> None:
    loaded = _loaded(program)
    assert program in loaded
    assert sorted(spared & loaded) == []


def test_libraries_of_configured_parts_are_loaded_at_the_start() -> None:
    """So that a missing or broken library stops the start, with its message."""
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

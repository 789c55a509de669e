"""Libraries that take megabytes are imported where they are used, not when a program starts."""

import json
import subprocess
import sys

import pytest

GATEWAY = {"alembic", "apprise", "babel", "cryptography", "fastapi", "jinja2", "psycopg"}
SERVER = {"alembic", "apprise", "babel", "cryptography", "paho", "psycopg"}


@pytest.mark.parametrize(
    ("program", "unneeded"), [("gateway.program.gateway", GATEWAY), ("server.program", SERVER)]
)
def test_a_program_starts_without_what_most_installations_never_use(
    program: str, unneeded: set[str]
) -> None:
    code = f"import json, sys, {program}; print(json.dumps(list(sys.modules)))"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    loaded = set(json.loads(printed))
    assert program in loaded
    assert not loaded & unneeded

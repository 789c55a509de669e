"""The database of an older version of Noria is migrated when it is opened, and loses nothing."""

import importlib
import logging
import pkgutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import OperationalError

import gateway
import server
from gateway.alerts import claims
from gateway.cluster import tables as cluster_tables
from gateway.database import migration, migrations
from gateway.database.engine import connect, is_postgresql
from gateway.database.tables import incident, judgement, metadata
from gateway.errors import DatabaseError
from gateway.registry import rows
from server.accounts import people
from tests.parts import database

VERSION_0_1_0 = Path(__file__).with_name("old_databases") / "noria-0.1.0.sql"
"""Part of a demo's database as version 0.1.0 left it."""


BOUNDS = (None, None)
"""Later columns of an event, which version 0.1.0 did not know."""

REQUEST = (None, None, None)
"""Later columns of an incident: who asks to close it, when and why."""


@pytest.fixture(scope="module", autouse=True)
def every_table() -> None:
    """Import every module of gateway and server: each defines its own tables."""
    for package in (gateway, server):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith((".__main__", ".env")):
                importlib.import_module(found.name)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "noria.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_0_1_0.read_text("utf-8"))
    return path


def rows_of(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: sorted(connection.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)  # noqa: S608
            for (name,) in names
        }


def differences(engine: sa.Engine) -> list[object]:
    """How the tables differ from those that the program defines."""
    wanted = sa.MetaData()
    for defined in (metadata, *([cluster_tables.metadata] if is_postgresql(engine) else [])):
        for table in defined.tables.values():
            table.to_metadata(wanted)
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), wanted))


def test_a_new_database_has_every_table_that_the_program_defines(
    tmp_path: Path, each_database: None
) -> None:
    engine = database.opened(tmp_path)
    assert differences(engine) == [], (
        "a table was changed without a migration: add one to gateway/database/migrations/versions"
    )


def test_a_table_without_a_migration_is_noticed(tmp_path: Path) -> None:
    extra = sa.Table("extra", metadata, sa.Column("id", sa.Integer, primary_key=True))
    try:
        assert str(differences(connect(tmp_path / "noria.db"))).startswith(
            "[('add_table', Table('extra'"
        )
    finally:
        metadata.remove(extra)


def test_the_newest_migration_is_the_one_that_the_program_expects() -> None:
    config = Config()
    config.set_main_option("script_location", migrations.__path__[0])
    assert ScriptDirectory.from_config(config).get_heads() == [migration.HEAD]


def test_a_database_of_version_0_1_0_keeps_all_its_rows(old: Path) -> None:
    before = rows_of(old)
    engine = connect(old)
    after = rows_of(old)
    assert after.pop("alembic_version") == [(migration.HEAD,)]
    after["incident"] = [row[: -len(REQUEST)] for row in after["incident"] if row[-3:] == REQUEST]
    after["tank_event"] = [row[: -len(BOUNDS)] for row in after["tank_event"] if row[-2:] == BOUNDS]
    assert {name: after[name] for name in before} == before
    assert sum(len(found) for found in before.values()) == 70
    assert differences(engine) == []


def test_the_newest_judgement_of_an_old_incident_is_kept(old: Path) -> None:
    before = rows_of(old)["incident"]
    with connect(old).connect() as connection:
        found = connection.execute(sa.select(judgement).order_by(judgement.c.incident)).all()
        wanted = connection.execute(sa.select(incident).order_by(incident.c.id)).all()
    assert len(found) == len(before) > 0
    assert [(j.incident, j.number, j.time, j.kind, j.because) for j in found] == [
        (i.id, i.change_number, i.updated, i.kind, i.because) for i in wanted
    ]
    assert {j.change for j, i in zip(found, wanted, strict=True) if i.closed is None} <= {
        "opened", "updated",
    }  # fmt: skip


def test_a_database_of_version_0_1_0_works_after_its_migration(old: Path) -> None:
    engine = connect(old)
    registry = rows.load(engine)
    assert registry.tanks["canal-1"][-1].name == "Canal 1"
    (van,) = people.everyone(engine)
    assert van.name == "Van 2"
    with engine.begin() as connection:
        open_ones = sa.select(incident.c.id).where(incident.c.closed.is_(None))
        found = connection.scalars(open_ones).one()
        assert claims.claim(connection, found, van.id, 1795930000.0, eta=None)
    people.add(engine, "Van 3", "volunteer", people.draw_password(), 1795930000.0)
    assert {person.name for person in people.everyone(engine)} == {"Van 2", "Van 3"}


def test_an_old_database_with_only_some_tables_receives_the_others(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.executescript("DROP TABLE planned_move; DROP TABLE session")
    assert differences(connect(old)) == []


NEWER = (
    "judgement", "trouble", "feed_problem", "device_fault", "broker_trust", "listening", "contact",
    "snooze", "shift", "shift_swap", "calendar_link", "dispatch", "contact_key", "notice",
)  # fmt: skip
"""What version 0.1.0 did not have."""


def test_tables_that_version_0_1_0_made_in_postgresql_are_taken_over(
    tmp_path: Path, each_database: None
) -> None:
    engine = database.opened(tmp_path)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
        for table in NEWER:
            connection.exec_driver_sql(f"DROP TABLE {table}")
        for column in ("least_l", "most_l"):
            connection.exec_driver_sql(f"ALTER TABLE tank_event DROP COLUMN {column}")
        for column in ("closing_by", "closing_at", "closing_why"):
            connection.exec_driver_sql(f"ALTER TABLE incident DROP COLUMN {column}")
    people.add(engine, "Van 2", "volunteer", people.draw_password(), 1.0)
    migration.migrate(engine)
    assert [person.name for person in people.everyone(engine)] == ["Van 2"]
    assert differences(engine) == []


def test_programs_that_start_at_once_migrate_once(old: Path) -> None:
    before = rows_of(old)
    with ThreadPoolExecutor(4) as pool:
        engines = list(pool.map(connect, [old] * 4))
    assert rows_of(old)["fact"] == before["fact"]
    assert differences(engines[0]) == []


def test_the_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "noria.db"
    with connect(path).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseError, match=r"revision 9999.*install the newer version"):
        connect(path)


def test_a_migration_waits_for_disk_space_while_the_rest_can_be_read(
    old: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = rows_of(old)

    def full(_connection: sa.Connection, _found: str | None) -> None:
        raise OperationalError("CREATE TABLE", None, Exception("database or disk is full"))

    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr(migration, "_upgrade", full)
        engine = connect(old)
    assert "waits for disk space" in caplog.text
    assert [person.name for person in people.everyone(engine)] == ["Van 2"]
    assert rows_of(old) == before
    assert differences(connect(old)) == []


def test_alembic_is_loaded_only_where_a_migration_is_due(tmp_path: Path) -> None:
    assert list(loaded(tmp_path)) != []
    assert list(loaded(tmp_path)) == []


def loaded(folder: Path) -> Iterator[str]:
    code = (
        "import sys; from pathlib import Path; from gateway.database.engine import connect;"
        f"connect(Path({str(folder / 'noria.db')!r})); print(*sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return (name for name in found.stdout.split() if name.split(".")[0] in ("alembic", "mako"))

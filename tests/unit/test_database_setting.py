"""The setting ``database``: a SQLite file, or PostgreSQL, whose password is not in the URL."""

from pathlib import Path

import pytest

from gateway import settings
from gateway.database.engine import open_database
from gateway.errors import DatabaseError, SettingError
from gateway.settings import Settings
from tests.parts.services import free_port


def read(folder: Path, text: str) -> Settings:
    file = folder / "noria.toml"
    file.write_text(text, "utf-8")
    return settings.read(file)


def test_without_it_the_database_is_a_file_and_nothing_is_shared(tmp_path: Path) -> None:
    found = read(tmp_path, "")
    assert not found.shared
    assert found.database_path == tmp_path / "data" / "noria.db"


def test_a_password_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n", "utf-8")
    where = 'database = "postgresql://noria@db:5433/noria?sslmode=verify-full"\n'
    found = read(tmp_path, where + 'database_password_file = "secret"\n')
    assert found.shared
    assert found.database_password == "s3cret"


@pytest.mark.parametrize(
    "url",
    ["postgresql://noria:s3cret@db/noria", "postgresql://noria@db/noria?password=s3cret"],
)
def test_a_password_in_the_url_is_refused_and_not_shown(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingError, match="database_password_file") as refused:
        read(tmp_path, f'database = "{url}"\n')
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["sqlite:///x.db", "postgresql://db/noria", "postgresql://noria@db", "mysql://a@b/c"]
)
def test_another_url_is_refused_with_the_remedy(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingError, match="postgresql://user@host:5432/noria"):
        read(tmp_path, f'database = "{url}"\n')


def test_the_error_for_an_unreachable_database_hides_its_password(tmp_path: Path) -> None:
    where = f'database = "postgresql://noria@127.0.0.1:{free_port()}/noria"\n'
    found = read(tmp_path, where + 'database_password = "s3cret"\n')
    with pytest.raises(DatabaseError, match="start it, or correct database") as away:
        open_database(found)
    assert "s3cret" not in str(away.value)
    assert found.database_password not in repr(away.value)

"""The wheel and the sdist of a release: complete, and enough to run the demo in an empty folder."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.parts.services import Service, free_port
from tests.structure import tree

PACKAGES = ("gateway", "server", "dashboards", "firmware")
_BUILD = "import sys; from setuptools import build_meta as b; print(b.{}(sys.argv[1]))"


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source")
    for path in tree.files():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tree.ROOT / path, source / path)
    return build("build_sdist", source)


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return build("build_wheel", next(folder.iterdir()))


@pytest.fixture(scope="module")
def noria(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a plain installation: of the dependencies, those in its lock and no other."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index"]
    run([*pip, wheel], folder)
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(run([python, "-c", code], folder).strip())
    for entry in plain_installation():
        (packages / entry.name).symlink_to(entry)
    return folder / "bin" / "noria"


def plain_installation() -> set[Path]:
    """What the packages of requirements.lock have installed here."""
    lock = (tree.ROOT / "requirements.lock").read_text("utf-8")
    here = Path(sysconfig.get_path("purelib"))
    files = [
        file for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)
        for file in importlib.metadata.files(name) or []
    ]  # fmt: skip
    return {here / file.parts[0] for file in files if file.parts[0] not in ("..", "__pycache__")}


def build(what: str, source: Path) -> Path:
    out = source / "dist"
    return out / run([sys.executable, "-c", _BUILD.format(what), out], source).splitlines()[-1]


def run(command: list[str | Path], folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environment() -> dict[str, str]:
    """Without the paths by which Python would find our tree."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def test_the_sdist_has_every_file_of_the_tree(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    assert {str(path) for path in tree.files()} - found == set()


def test_the_wheel_has_every_file_of_the_packages(wheel: Path) -> None:
    wanted = {str(path) for path in tree.files() if path.parts[0] in PACKAGES}
    found = set(zipfile.ZipFile(wheel).namelist())
    assert wanted - found == set()
    assert {name for name in found - wanted if ".dist-info/" not in name} == set()


def test_the_installed_command_knows_its_version_and_makes_an_installation(
    noria: Path, tmp_path: Path
) -> None:
    version = tomllib.loads((tree.ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert run([noria, "--version"], tmp_path) == f"noria, version {version}\n"
    run([noria, "init", "here"], tmp_path)
    assert (tmp_path / "here" / "data" / "noria.db").is_file()
    assert "journal" in run([noria, "status", "--config", "here/noria.toml"], tmp_path)


@pytest.mark.parametrize(("package", "command", "extra"), [
    ("grafana_foundation_sdk", ["dashboards", "write", "there"], "grafana"),
    ("influxdb_client", ["export", "readings"], "influxdb"),
])  # fmt: skip
def test_a_plain_installation_names_the_extra_that_a_command_needs(
    noria: Path, tmp_path: Path, package: str, command: list[str], extra: str
) -> None:
    assert subprocess.run([noria.parent / "python", "-c", f"import {package}"],
                          env=environment(), capture_output=True, check=False
                          ).returncode == 1  # fmt: skip
    run([noria, "init", "here"], tmp_path)
    (tmp_path / "here" / "noria.toml").write_text(
        'store = "influxdb"\ninfluxdb_url = "http://127.0.0.1:1"\ninfluxdb_token = "x"\n'
        'influxdb_org = "x"\n'
    )
    asked = subprocess.run(
        [noria, *command, "--config", "here/noria.toml"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert asked.returncode == 2
    assert f"pip install 'noria[{extra}]'" in asked.stderr


def test_the_installed_demo_shows_its_page(
    noria: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(tmp_path)
    command = [noria, "demo", "--port", str(free_port()), "--interpreter", "cpython"]
    demo = Service([*command, "--speed", "300", "--days", "2"], tmp_path / "log")
    try:
        demo.start(lambda: "Ctrl-C ends it" in demo.text(), timeout_s=90)
        link = next(word for word in demo.text().split() if "/enter/" in word)
        page = httpx.get(link, follow_redirects=True)
        assert page.status_code == 200
        assert "Canal 1" in page.text
    finally:
        demo.stop()
    assert "Ending everything" in demo.text()

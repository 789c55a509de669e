"""The documents describe the program: commands, settings, addresses, tasks, links."""

import importlib
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from fastapi import APIRouter
from starlette.routing import Route

import server
from server.command import settings as settings_command
from server.command.main import COMMANDS, cli
from tests.structure import tree


def _text(name: str) -> str:
    return tree.text(Path(name))


def test_the_settings_page_is_the_settings_table() -> None:
    assert _text("gateway/SETTINGS.md") == settings_command.as_markdown(), (
        "write it again: noria settings --markdown > gateway/SETTINGS.md"
    )


@pytest.mark.parametrize("command", [name for name, *_ in COMMANDS])
def test_every_command_is_documented_and_has_help(command: str) -> None:
    assert f"noria {command}" in _text("README.md") + _text("server/README.md")
    shown = CliRunner().invoke(cli, [command, "--help"])
    assert shown.exit_code == 0, shown.output
    assert "Usage:" in shown.output


def test_every_address_of_the_server_is_documented() -> None:
    page = _text("server/README.md")
    addresses = sorted(set(_addresses()))
    assert len(addresses) > 10, "no routers were found: look where server keeps them"
    assert [a for a in addresses if f"`{a}`" not in page] == []


def _addresses() -> Iterator[str]:
    """The path of every route of every router that a module of the server defines."""
    for found in pkgutil.walk_packages(server.__path__, "server."):
        if found.name.startswith(("server.pages", "server.api")):
            router = getattr(importlib.import_module(found.name), "router", None)
            if isinstance(router, APIRouter):
                yield from (r.path for r in router.routes if isinstance(r, Route))


def test_every_make_task_in_the_documents_exists() -> None:
    tasks = set(re.findall(r"^([a-z]+):", _text("Makefile"), re.MULTILINE))
    for page in tree.files(".md"):
        named = set(re.findall(r"`make ([a-z]+)", _text(str(page))))
        assert named <= tasks, f"{page} names {named - tasks}"


def test_every_dependency_has_its_reason_beside_it() -> None:
    text = _text("pyproject.toml")
    given = tomllib.loads(text)["project"]
    extras = given["optional-dependencies"].values()
    wanted = [*given["dependencies"], *(name for extra in extras for name in extra)]
    bare = [w for w in wanted if not re.search(rf'"{re.escape(w)}",\s+# \S+', text)]
    assert bare == []


def test_every_link_between_our_documents_has_a_target() -> None:
    broken = [
        f"{page}: {target}"
        for page in tree.files(".md")
        for target in re.findall(r"\]\(([^)#\s]+)", _text(str(page)))
        if "://" not in target and not (tree.ROOT / page.parent / target).exists()
    ]
    assert broken == []


def test_the_locks_carry_hashes_and_no_address() -> None:
    locks = sorted(tree.ROOT.glob("requirements*.lock"))
    assert len(locks) == 7
    for lock in locks:
        text = lock.read_text("utf-8")
        assert "://" not in text, lock.name
        assert not re.search(r"^\s*--(index|extra|find|trusted)", text, re.MULTILINE), lock.name
        pins = re.findall(r"^[\w.-]+==\S+ \\$", text, re.MULTILINE)
        assert len(pins) == len(re.findall(r"^\w", text, re.MULTILINE)), lock.name


def test_the_tree_names_no_path_of_a_machine() -> None:
    # In pieces, or the test would find this file.
    pattern = re.compile(
        r"(^|[^A-Za-z0-9_.~-])/(wo" + r"rk|fa" + r"rm)/|/ro" + r"ot/|bash_" + "jobs"
    )
    found = [str(p) for p in tree.files() if pattern.search(tree.text(p))]
    assert found == []


def test_the_tree_names_no_package_registry() -> None:
    hosts = _registry_hosts()
    found = [f"{p}: {host}" for p in tree.files() for host in hosts if host in tree.text(p)]
    assert found == []


def _registry_hosts() -> set[str]:
    """The hosts in this machine's configuration of pip, npm, Go and apt."""
    pip = (
        "from pip._internal.models.index import PyPI as p; "
        "print(p.url, 'https://' + p.file_storage_domain)"
    )
    text = "".join(
        _output(command)
        for command in (
            [sys.executable, "-c", pip],
            [sys.executable, "-m", "pip", "config", "list"],
            ["npm", "config", "get", "registry"],
            ["go", "env", "GOPROXY"],
        )
    )
    apt = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    text += "".join(p.read_text("utf-8", errors="replace") for p in apt if p.is_file())
    hosts = re.findall(r"https?://(?:[^@/\s]+@)?([A-Za-z0-9.-]+)", text)
    return {host for host in hosts if not host.startswith(("localhost", "127."))}


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return ""  # the tool is not installed
    return done.stdout


def test_every_document_that_the_code_names_exists() -> None:
    documents = {path.name for path in tree.files(".md")}
    named = {
        (name, str(path))
        for path in tree.files(".py")
        for name in re.findall(r"\b[A-Z][A-Z-]+\.md\b", tree.text(path))
    }
    assert len(named) > 20
    assert [found for found in sorted(named) if found[0] not in documents] == []

"""Writes ``noria.toml``: the given settings, and all others as comments with their defaults."""

import os
import re
from pathlib import Path

from gateway.errors import SettingError
from gateway.settings import TABLE, Setting, read

_SECTIONS = {
    "data": "This installation",
    "broker": "Broker: where devices publish",
    "store": "Readings: sqlite needs nothing; influxdb is for Grafana and long history",
    "server_listen": "Pages",
    "channels": "Alerts",
}


def write(path: Path, given: dict[str, object]) -> None:
    """Write a configuration: the given settings, all others as comments with their defaults.

    Readable by its owner only. Raises FileExistsError rather than overwrite.
    """
    lines = ["# Noria's configuration. A line that begins with # shows a default.", ""]
    for setting in TABLE:
        if setting.help.startswith("Demo only") and setting.name not in given:
            continue
        if setting.name in _SECTIONS:
            lines += [f"# --- {_SECTIONS[setting.name]} ---", ""]
        lines += _lines(setting, given)
    write_secret(path, "\n".join(lines))


def write_secret(path: Path, text: str) -> None:
    """Write a new file that only its owner can read. Raises FileExistsError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")


def change(path: Path, given: dict[str, object]) -> None:
    """Set these in an existing configuration, and leave all other lines as a person wrote them.

    Raises SettingError, the file unchanged, where a value is not on one line or is wrong.
    """
    before = path.read_text("utf-8")
    lines = before.splitlines()
    for name, value in given.items():
        line = f"{name} = {toml_value(value)}"
        at = next((i for i, one in enumerate(lines) if _sets(name, one)), None)
        if at is None:
            shown = f"# {name} ="
            at = next((i for i, one in enumerate(lines) if one.startswith(shown)), len(lines))
            lines.insert(at, line)
        comment = _COMMENT.search(lines[at])
        lines[at] = line + (f"  {comment[1]}" if comment else "")
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    write_secret(fresh, "\n".join(lines))
    try:
        read(fresh)
    except SettingError as error:
        fresh.unlink()
        wanted = "; ".join(f"{name} = {toml_value(value)}" for name, value in given.items())
        raise SettingError(
            f"{path} was left as it is ({error}): write it yourself: {wanted}"
        ) from error
    fresh.chmod(path.stat().st_mode & 0o777)
    fresh.replace(path)


_COMMENT = re.compile(r"""^[a-z_]+\s*=\s*(?:"[^"]*"|'[^']*')\s*(#.*)$""")
"""Behind a text."""


def _sets(name: str, line: str) -> bool:
    return line.partition("=")[0].strip() == name


def _lines(setting: Setting, given: dict[str, object]) -> list[str]:
    lines = [f"# {setting.help}"]
    if setting.secret:
        lines.append(f'# Better in a file of its own: {setting.name}_file = "name"')
    from_file = given.get(f"{setting.name}_file")
    if from_file is not None:
        return [*lines, f"{setting.name}_file = {toml_value(from_file)}", ""]
    mark = "" if setting.name in given else "# "
    return [
        *lines,
        f"{mark}{setting.name} = {toml_value(given.get(setting.name, setting.default))}",
        "",
    ]


def toml_value(value: object) -> str:
    """One value as TOML writes it: text, number or list of texts."""
    if isinstance(value, list):
        return "[" + ", ".join(toml_value(v) for v in value) + "]"  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - a list of texts
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)

"""Reads a configuration file into checked settings."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from gateway.errors import SettingError
from gateway.settings.check import check
from gateway.settings.table import TABLE, Setting, Settings
from gateway.text_file import read_text


def find(config: str | None) -> Path:
    """The configuration file: the argument, else NORIA_CONFIG, else ./noria.toml.

    Raises SettingError when it is not there.
    """
    path = Path(config or os.environ.get("NORIA_CONFIG") or "noria.toml").absolute()
    if not path.is_file():
        raise SettingError(
            f"no configuration at {path}: run 'noria init {path.parent}', or name one with --config"
        )
    return path


def read(path: Path) -> Settings:
    """Read and check a configuration file. Raises SettingError naming the setting."""
    try:
        given = tomllib.loads(read_text(path))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} is not TOML: {error}") from error
    known = {s.name for s in TABLE} | {f"{s.name}_file" for s in TABLE if s.secret}
    for name in given:
        if name not in known:
            raise SettingError(f"{path}: no setting is called {name!r}; see 'noria settings'")
    values: dict[str, Any] = {s.name: _value(s, given, path.parent) for s in TABLE}
    values["data"] = (path.parent / values["data"]).absolute()
    for name in ("channels", "trusted_proxies", "broker_names"):
        values[name] = tuple(values[name])
    for name in ("broker_ca", "broker_certificate", "broker_key", "adapters"):
        if values[name]:
            values[name] = str((path.parent / values[name]).absolute())
    settings = Settings(source=path, **values)
    check(settings)
    return settings


def _value(setting: Setting, given: Mapping[str, object], base: Path) -> object:
    file = given.get(f"{setting.name}_file")
    if file is not None:
        if setting.name in given:
            raise SettingError(f"{setting.name} and {setting.name}_file are both set: keep one")
        try:
            text = read_text(base / str(file)).strip()
        except OSError as error:
            raise SettingError(f"{setting.name}_file = {file!r}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            remedy = "save the file as UTF-8"
            raise SettingError(
                f"{setting.name}_file = {file!r}: it is no text: {remedy}"
            ) from error
        return text.splitlines() if isinstance(setting.default, list) else text
    value = given.get(setting.name, setting.default)
    if isinstance(setting.default, float) and type(value) is int:
        value = float(value)
    if type(value) is not type(setting.default):
        wanted = {"str": "a text", "int": "a whole number", "float": "a number", "list": "a list"}
        kind = wanted[type(setting.default).__name__]
        shown = "its value" if setting.secret else repr(value)
        raise SettingError(f"{setting.name}: {shown} is not {kind}")
    if isinstance(value, list) and not all(isinstance(v, str) for v in cast(list[object], value)):
        raise SettingError(f"{setting.name}: every item must be a text")
    return value

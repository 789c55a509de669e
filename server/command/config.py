"""The option ``--config`` of every command."""

from collections.abc import Callable
from typing import TypeVar

import click

from gateway import settings as settings_module
from gateway.settings import Settings

_F = TypeVar("_F", bound=Callable[..., object])


def with_config(command: _F) -> _F:
    """Add ``--config``; the command receives ``config: str | None``."""
    return click.option(
        "--config",
        metavar="FILE",
        help="Configuration file (else NORIA_CONFIG, else ./noria.toml).",
    )(command)


def settings_of(config: str | None) -> Settings:
    """The settings that ``--config`` names. Raises SettingError."""
    return settings_module.read(settings_module.find(config))

"""A list of devices to make: a CSV file with the columns ``tank`` and names of options."""

import csv
from pathlib import Path

import click

from gateway.errors import RegistryError
from gateway.text_file import read_text
from server.command.device.wishes import Wishes

_YES, _NO = ("yes", "true", "1"), ("no", "false", "0")
_REPEATED = ("wifi",)


def read(path: Path, command: click.Command, wishes: Wishes) -> list[tuple[str, Wishes]]:
    """(tank, options) of each row; an empty cell takes the option of the command line.

    Several networks are separated by ``;``. Raises RegistryError with the line and the column.
    """
    try:
        lines = list(csv.DictReader(read_text(path).splitlines()))
    except (OSError, ValueError, csv.Error) as error:
        raise RegistryError(f"{path}: {error}") from error
    if not lines:
        raise RegistryError(f"{path}: no row: a header with 'tank', then a row for each device")
    return [_row(f"{path}, line {n}", line, command, wishes) for n, line in enumerate(lines, 2)]


def _row(
    where: str, line: dict[str | None, str | None], command: click.Command, wishes: Wishes
) -> tuple[str, Wishes]:
    options = {option.name: option for option in command.params if isinstance(option, click.Option)}
    arguments: list[str] = []
    for column, cell in line.items():
        name = (column or "").strip().lstrip("-").replace("-", "_")
        text = (cell or "").strip()
        option = options.get(name)
        if option is None or name in ("list_", "config"):
            raise RegistryError(f"{where}: column {column!r} is no option of 'device new'")
        if text:
            arguments += _argument(f"{where}, {column}", option, text)
    if not line.get("tank"):
        raise RegistryError(f"{where}: tank is missing")
    try:
        given = command.make_context("new", arguments, resilient_parsing=False).params
    except click.ClickException as error:
        raise RegistryError(f"{where}: {error.format_message()}") from error
    tank = str(given.pop("tank"))
    return tank, {name: value if given.get(name) in (None, ()) else given[name]
                  for name, value in wishes.items()}  # fmt: skip


def _argument(where: str, option: click.Option, text: str) -> list[str]:
    if not option.is_flag:
        values = text.split(";") if option.name in _REPEATED else [text]
        return [part for value in values for part in (option.opts[0], value.strip())]
    if text.lower() not in _YES + _NO:
        raise RegistryError(f"{where}: {text!r}: yes or no")
    names = option.opts if text.lower() in _YES else option.secondary_opts
    return [names[0]]

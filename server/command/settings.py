"""``noria settings``: every setting with its default and help."""

import click

from gateway.settings import TABLE
from server.config_file import toml_value


@click.command()
@click.option("--markdown", is_flag=True, help="As the table of gateway/SETTINGS.md.")
def settings(markdown: bool) -> None:
    """List every setting of noria.toml with its default and help."""
    click.echo(as_markdown() if markdown else _as_text(), nl=not markdown)


def as_markdown() -> str:
    """The text of gateway/SETTINGS.md."""
    rows = [
        f"| `{s.name}` | `{toml_value(s.default)}` | {s.help}{_from_file(s.secret)} |\n"
        for s in TABLE
    ]
    return (
        "# Settings of `noria.toml`\n\n"
        "Written by `noria settings --markdown`; a test holds it against the table in "
        "`gateway/settings/table.py`.\n\n| setting | default | help |\n|---|---|---|\n"
        + "".join(rows)
    )


def _from_file(secret: bool) -> str:
    return " Or `<name>_file`." if secret else ""


def _as_text() -> str:
    return "\n\n".join(f"{s.name} = {toml_value(s.default)}\n    {s.help}" for s in TABLE)

"""``noria gateways``: manages gateways that share one PostgreSQL."""

import click

from gateway.cluster.names import retire as retire_gateway
from gateway.database.engine import open_database
from gateway.errors import DatabaseError
from server.command.config import settings_of, with_config


@click.group()
def gateways() -> None:
    """Manage gateways that share one PostgreSQL; 'noria status' shows the state of each."""


@gateways.command()
@click.argument("gateway_id")
@with_config
def retire(gateway_id: str, config: str | None) -> None:
    """Stop waiting for a gateway that never comes back.

    Until then the shared table keeps every message that its store has not read, and its lag counts
    as trouble. Its journal entries stay. If it comes back, it fills its store from the start.
    """
    settings = settings_of(config)
    if not settings.shared:
        raise DatabaseError("only gateways that share a PostgreSQL can be retired (database = …)")
    left = retire_gateway(open_database(settings), gateway_id)
    click.echo(f"Gateway {gateway_id} is retired; its store had {left} entries to read.")

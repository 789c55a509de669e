"""Alembic runs this file: it migrates on the connection and in the transaction of its caller."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()

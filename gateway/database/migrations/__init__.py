"""Migrations of the database from one version of Noria to the next, run by Alembic.

To change a table, add a file to ``versions/`` whose ``down_revision`` is the newest ``revision``,
and name it in ``gateway.database.migration.HEAD``. ``tests/integration/test_migrations.py`` lists
what the migrations lack.
"""

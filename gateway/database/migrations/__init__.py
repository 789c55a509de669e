"""Migrations of the database from one version of Noria to the next, run by Alembic.

To change a table, add a file ``versions/rNNNN_what.py`` whose ``down_revision`` is the newest
``revision``. ``tests/integration/test_migrations.py`` lists
what the migrations lack.
"""

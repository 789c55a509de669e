"""The desired state of each device, the releases that we keep, and the devices' answers."""

import sqlalchemy as sa

from gateway.database.tables import metadata

desired = sa.Table(
    "desired",
    metadata,
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("n", sa.Integer, nullable=False),  # of the ``down`` in force
    sa.Column("set", sa.JSON, nullable=False),  # whole: what is absent is the board's own
    sa.Column("once", sa.JSON, nullable=False),  # [{"id", "do", "n": the down that first had it}]
    sa.Column("release", sa.Text),  # the release wanted
    sa.Column("release_n", sa.Integer),  # the down that first wanted it
)
"""One row for each device that was ever told anything."""

release = sa.Table(
    "release",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # SHA-256 of the bundle
    sa.Column("bundle", sa.LargeBinary, nullable=False),
)

parts_at_broker = sa.Table(
    "parts_at_broker",
    metadata,
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("release", sa.Text, nullable=False),
)
"""Whose parts lie retained at the broker, to be cleared when they have served."""

answer = sa.Table(
    "desired_answer",
    metadata,
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("n", sa.Integer, nullable=False),  # of the ``down`` that it answers
    sa.Column("era", sa.Text, nullable=False),
    sa.Column("boot", sa.Integer, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("ok", sa.Boolean, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("received", sa.Float, nullable=False),
)
"""The newest answer of each device: of the highest ``n``, the one it said last."""

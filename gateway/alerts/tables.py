"""What persons chose, where they are reached, when they are on shift, and their notices.

Addresses are sealed (``contacts``): a stolen file or backup has none.
"""

import sqlalchemy as sa

from gateway.database.tables import metadata

NO_CONTACT = "the person has no contact left"
"""A value of ``notice.error``."""

listening = sa.Table(
    "listening",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("sites", sa.JSON, nullable=False),  # [] is all
    sa.Column("groups", sa.JSON, nullable=False),  # of domain.dispatch.people.GROUPS
    sa.Column("quiet_from", sa.Integer),  # minutes after local midnight
    sa.Column("quiet_until", sa.Integer),
    sa.Column("per_hour", sa.Integer, nullable=False),
)

contact = sa.Table(
    "contact",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # random
    sa.Column("account", sa.Text, nullable=False, index=True),
    sa.Column("service", sa.Text, nullable=False),  # its name in the settings
    sa.Column("sealed", sa.Text, nullable=False),  # the address
    sa.Column("tag", sa.Text, nullable=False, index=True),  # keyed hash: finds it by the address
    sa.Column("ending", sa.Text, nullable=False),  # what pages show of it, for example "…42"
    sa.Column("rank", sa.Integer, nullable=False),  # the lowest is tried first
    sa.Column("code_tag", sa.Text),  # keyed hash of the code that was sent there
    sa.Column("code_until", sa.Float),
    sa.Column("code_tries", sa.Integer, nullable=False, default=0),
    sa.Column("verified", sa.Float),  # Unix s; null: not yet, and nothing but a code is sent there
)

snooze = sa.Table(
    "snooze",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("tank", sa.Text, primary_key=True),
    sa.Column("until", sa.Float, nullable=False),
)

shift = sa.Table(
    "shift",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("weekdays", sa.JSON, nullable=False),  # 0 is Monday
    sa.Column("start", sa.Integer, nullable=False),  # minutes after local midnight
    sa.Column("minutes", sa.Integer, nullable=False),
    sa.Column("since", sa.Text, nullable=False),  # ISO date
    sa.Column("until", sa.Text),
    sa.Column("site", sa.Text),  # null: all
)

swap = sa.Table(
    "shift_swap",
    metadata,
    sa.Column("shift", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, primary_key=True),  # ISO date
    sa.Column("account", sa.Text),  # null: nobody is on this shift that day
    sa.Column("changed_by", sa.Text),  # who can undo it; null: nobody any more
    sa.Column("before", sa.Text),  # who had it before that change
)

dispatch = sa.Table(
    "dispatch",
    metadata,
    sa.Column("incident", sa.Text, primary_key=True),
    sa.Column("group", sa.Text, nullable=False),
    sa.Column("tier", sa.Integer, nullable=False),
    sa.Column("due", sa.Float, index=True),
    sa.Column("notified", sa.JSON, nullable=False),  # accounts
    sa.Column("claim_version", sa.Integer, nullable=False),  # of the incident, when last looked at
    sa.Column("claimed_by", sa.Text),  # then
    sa.Column("change_number", sa.Integer, nullable=False),  # the last that was notified
    sa.Column("change", sa.JSON, nullable=False),
)
"""How far the telling of an open incident is."""

notice = sa.Table(
    "notice",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("incident", sa.Text, nullable=False, index=True),
    sa.Column("change_number", sa.Integer, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),  # the same change may be notified again
    sa.Column("account", sa.Text, nullable=False, index=True),
    sa.Column("group", sa.Text, nullable=False),
    sa.Column("made", sa.Float, nullable=False),
    sa.Column("due", sa.Float, nullable=False, index=True),
    sa.Column("contact", sa.Text),  # the one to try; null: the person's first
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("sent", sa.Float),
    sa.Column("given_up", sa.Float),
    sa.Column("error", sa.Text),
    sa.Column("held", sa.Text),  # quiet, snoozed or digest: why it waits
    sa.Column("change", sa.JSON, nullable=False),
    sa.UniqueConstraint("incident", "change_number", "round", "account"),
)
"""One message to one person; made in the transaction that decides who is notified."""

contact_key = sa.Table(
    "contact_key",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),  # one row
    sa.Column("salt", sa.Text, nullable=False),
    sa.Column("sealed", sa.Text, nullable=False),  # the key of the contacts, under the passphrase
)

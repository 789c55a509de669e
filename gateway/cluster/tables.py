"""The tables of a cluster, in PostgreSQL only: entries of all journals, ack lines, order."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA

metadata = sa.MetaData()

head = sa.Table(
    "shared_head",
    metadata,
    sa.Column("one", sa.Integer, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("counts", sa.JSON, nullable=False),  # messages by verdict, over all journals
)
"""One row. A registrar locks it until its commit, so that versions commit in their order."""

NEVER = float("inf")
"""``until`` of a gateway whose entries are all registered and that has stopped."""

member = sa.Table(
    "shared_member",
    metadata,
    sa.Column("gateway", sa.Text, primary_key=True),
    sa.Column("log", sa.Text, nullable=False),  # SHA-256 of its log's first leaf, hex
    sa.Column("entry", sa.BigInteger, nullable=False),  # registered up to this one of its journal
    sa.Column("until", sa.Float, nullable=False),  # all it received before then is registered
    sa.Column("waiting", sa.Boolean, nullable=False),  # more is journaled than registered
    sa.Column("since", sa.Float),  # listening without a break since then; null: not listening
    sa.Column("counts", sa.JSON, nullable=False),  # journal.counters.status, and its leaves
)

entry = sa.Table(
    "shared_entry",
    metadata,
    sa.Column("gateway", sa.Text, primary_key=True),
    sa.Column("entry", sa.BigInteger, primary_key=True),  # its number in that gateway's journal
    sa.Column("received", sa.Float, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("body", BYTEA, nullable=False),  # of a message empty once it is pruned
    sa.Column("lines", sa.JSON, nullable=False),
    sa.Column("verdict", sa.Text),  # over all journals: stored late fork flagged
    sa.Column("flag", sa.Text),
    sa.Column("auth", sa.Text),
    sa.Column("newest", sa.Boolean, nullable=False),
    sa.Column("era", sa.Text),
    sa.Column("boot", sa.BigInteger),
    sa.Column("seq", sa.BigInteger),
    sa.Column("hash", BYTEA),  # SHA-256(OBJECT); null for facts
    sa.Column("prev", sa.Text),
    sa.Column("fact", sa.Text, unique=True),  # a fact is registered once, by any gateway
)
"""Each message once, however many gateways journaled it: the first to register counts."""

_is_message = entry.c.hash.is_not(None)
sa.Index("shared_object", entry.c.hash, entry.c.subject, unique=True, postgresql_where=_is_message)
sa.Index(
    "shared_identity", entry.c.subject, entry.c.era, entry.c.boot, entry.c.seq,
    postgresql_where=entry.c.era.is_not(None),
)  # fmt: skip
sa.Index("shared_prev", entry.c.subject, entry.c.prev, postgresql_where=entry.c.prev.is_not(None))
sa.Index(
    "shared_unlinked", entry.c.subject,
    postgresql_where=sa.and_(_is_message, entry.c.prev.is_(None), entry.c.era.is_not(None)),
)  # fmt: skip

era = sa.Table(
    "shared_era",
    metadata,
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("era", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False, index=True),  # grows with every message
    sa.Column("newest_boot", sa.BigInteger, nullable=False),
    sa.Column("newest_seq", sa.BigInteger, nullable=False),
    sa.Column("line_boot", sa.BigInteger, nullable=False),
    sa.Column("line_seq", sa.BigInteger, nullable=False),
    sa.Column("line_h", sa.Text, nullable=False),
    sa.Column("old_boot", sa.BigInteger, nullable=False),
    sa.Column("old_seq", sa.BigInteger, nullable=False),
)
"""The ack watermark of each era, and the newest message that counted."""

place = sa.Table(
    "shared_place",
    metadata,
    sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("gateway", sa.Text, nullable=False),
    sa.Column("entry", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("gateway", "entry"),
)
"""The order in which the watch reads the entries of all journals, from 1 without gaps."""

merged = sa.Table(
    "shared_merged",
    metadata,
    sa.Column("gateway", sa.Text, primary_key=True),
    sa.Column("entry", sa.BigInteger, nullable=False),
)
"""The last entry of each gateway that has a place."""

segment = sa.Table(
    "shared_segment",
    metadata,
    sa.Column("gateway", sa.Text, primary_key=True),
    sa.Column("first", sa.BigInteger, primary_key=True),  # of its journal
    sa.Column("last", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("digest", BYTEA, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("pruned", sa.BigInteger, nullable=False),
)
"""The gateways' archive files. Bodies of messages up to ``pruned`` are no longer in ``entry``."""

horizon = sa.Table(
    "shared_horizon",
    metadata,
    sa.Column("one", sa.Integer, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("hears", sa.Boolean, nullable=False),
)
"""The time up to which the order is complete, and whether any gateway listened then."""

holder = sa.Table(
    "shared_holder",
    metadata,
    sa.Column("one", sa.Integer, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),  # grows with every change of leader
    sa.Column("gateway", sa.Text, nullable=False),
    sa.Column("beat", sa.BigInteger, nullable=False),
)
"""The leader; one of an older epoch can write nothing more (``leader.fenced_engine``)."""

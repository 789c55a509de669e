"""Tables that several rooms use. The other tables are defined on ``metadata`` in their rooms."""

from collections.abc import Mapping

import sqlalchemy as sa

metadata = sa.MetaData()

fact = sa.Table(
    "fact",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),  # a fact is journaled once per key
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # leaf kind: reg plan cal cust cmd inc op ...
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("lines", sa.JSON, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("entry_id", sa.BigInteger, index=True),  # null until the gateway has journaled it
)
"""Facts that other processes write, for the gateway to journal as leaves."""


def queue_fact(
    connection: sa.Connection, key: str, now: float, kind: str, subject: str,
    body: Mapping[str, object],
) -> None:  # fmt: skip
    """Queue a fact without lines for the journal; ``now`` is Unix s."""
    row = {"key": key, "time": now, "kind": kind, "subject": subject, "body": body}
    connection.execute(sa.insert(fact).values(**row, lines={}))


projection = sa.Table(
    "projection",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("cursor", sa.BigInteger, nullable=False),  # last journal entry applied
)

projection_state = sa.Table(
    "projection_state",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
)

tank_now = sa.Table(
    "tank_now",
    metadata,
    sa.Column("tank", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False, index=True),
    sa.Column("value", sa.JSON, nullable=False),  # fields of domain.outputs.TankNow
)
"""The state of each tank for pages; every change of a tank or an incident increases ``version``."""

tank_event = sa.Table(
    "tank_event",
    metadata,
    sa.Column("tank", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("at", sa.Float, primary_key=True),
    sa.Column("until", sa.Float, nullable=False),
    sa.Column("litres", sa.Float),
    sa.Column("least_l", sa.Float),  # litres is between these with 90 % confidence
    sa.Column("most_l", sa.Float),
)

incident = sa.Table(
    "incident",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False, index=True),
    sa.Column("change_number", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("tank", sa.Text, index=True),
    sa.Column("uplink", sa.Text),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("opened", sa.Float, nullable=False),
    sa.Column("updated", sa.Float, nullable=False),
    sa.Column("closed", sa.Float, index=True),
    sa.Column("closed_why", sa.Text),
    sa.Column("probability", sa.Float, nullable=False),
    sa.Column("causes", sa.JSON, nullable=False),
    sa.Column("because", sa.JSON, nullable=False),
    sa.Column("figures", sa.JSON, nullable=False),
    sa.Column("auth", sa.Text, nullable=False),
    sa.Column("learned_late", sa.Boolean, nullable=False, default=False),
    sa.Column("claimed_by", sa.Text),  # a person's id
    sa.Column("claimed_at", sa.Float),
    sa.Column("claim_eta", sa.Float),
    sa.Column("claim_version", sa.Integer, nullable=False, default=0),  # compare-and-swap
    # Who asks to close it, when and why: alerts.closing tells whether that still counts.
    sa.Column("closing_by", sa.Text),
    sa.Column("closing_at", sa.Float),
    sa.Column("closing_why", sa.Text),
)

incident_step = sa.Table(
    "incident_step",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("incident", sa.Text, nullable=False, index=True),
    sa.Column("time", sa.Float, nullable=False),
    # opened updated closed told claimed handed_over released closed_by_person seen
    # close_asked kept_open
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("person", sa.Text),
    sa.Column("data", sa.JSON, nullable=False),
)
"""The history of an incident, oldest first."""

judgement = sa.Table(
    "judgement",
    metadata,
    sa.Column("incident", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # of the change, from 1
    sa.Column("time", sa.Float, nullable=False),  # when it was decided
    sa.Column("change", sa.Text, nullable=False),  # opened updated closed
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("probability", sa.Float, nullable=False),
    sa.Column("causes", sa.JSON, nullable=False),
    sa.Column("because", sa.JSON, nullable=False),
    sa.Column("figures", sa.JSON, nullable=False),
)
"""What the watch believed of an incident at each change; of many the first and the newest."""

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("incident", sa.Text, nullable=False),
    sa.Column("change_number", sa.Integer, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("made", sa.Float, nullable=False),
    sa.Column("due", sa.Float, nullable=False, index=True),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("sent", sa.Float),
    sa.Column("given_up", sa.Float),
    sa.Column("error", sa.Text),
    sa.Column("change", sa.JSON, nullable=False),  # fields of domain.outputs.IncidentChange
    sa.UniqueConstraint("incident", "change_number", "channel"),
)
"""One row for each message to one channel; saved with the state that caused it."""

account = sa.Table(
    "account",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # random; incidents and facts have only this
    sa.Column("name", sa.Text, nullable=False),  # shown to others, for example "Van 2"
    sa.Column("login", sa.Text, nullable=False, unique=True),
    sa.Column("role", sa.Text, nullable=False),  # volunteer or coordinator
    sa.Column("password", sa.Text, nullable=False),  # argon2id, with its parameters
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("disabled", sa.Float),
)
"""People who may sign in; the server writes it, alerts read names. No e-mail, phone or address."""

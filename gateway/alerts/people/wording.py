"""What one person reads: a message of one incident, or several kept back as one digest."""

from collections.abc import Sequence

import sqlalchemy as sa

from gateway.alerts.language import mark
from gateway.alerts.outbox import AlertWording, alert_of
from gateway.alerts.text import LONGEST, Alert, Text, text_of
from gateway.database.tables import incident
from gateway.domain.outputs import IncidentChange
from gateway.domain.registry import Registry

_HEAD = mark("{n} messages were kept back:")
_MORE = mark("and {n} more.")
_THANKS = mark("Thank you for going.")


def message_of(
    connection: sa.Connection, change: IncidentChange, registry: Registry, wording: AlertWording,
    now: float, reader: str,
) -> Text:  # fmt: skip
    """The message for one change of an incident, to the person ``reader``."""
    alert = alert_of(connection, change, registry, wording, now)
    text = text_of(alert)
    if change.change != "closed" or _claimant(connection, change.id) != reader:
        return text
    thanks = f"{text.body} {wording.language.text(_THANKS)}"
    return Text(text.title, thanks) if len(thanks) <= LONGEST else text


def _claimant(connection: sa.Connection, of: str) -> str | None:
    query = sa.select(incident.c.claimed_by).where(incident.c.id == of)
    return connection.execute(query).scalar()


def digest_of(
    changes: Sequence[IncidentChange], registry: Registry, wording: AlertWording, now: float
) -> Text:
    """The first lines of several messages, and how many do not fit."""
    language = wording.language
    head = language.text(_HEAD, n=len(changes))
    titles = [text_of(Alert(c, registry, language, now)).title for c in changes]
    lines = [f"- {title}." for title in titles]
    shown = len(lines)
    while shown > 1 and len(_joined(head, lines[:shown], len(lines) - shown, wording)) > LONGEST:
        shown -= 1
    return Text(head.rstrip(" :"), _joined(head, lines[:shown], len(lines) - shown, wording))


def _joined(head: str, lines: Sequence[str], left: int, wording: AlertWording) -> str:
    more = [wording.language.text(_MORE, n=left)] if left else []
    link = [f"{wording.public_url.rstrip('/')}/"] if wording.public_url else []
    return "\n".join([head, *lines, *more, *link])

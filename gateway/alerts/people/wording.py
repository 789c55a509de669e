"""What one person reads: a message of one incident, or several kept back as one digest."""

from collections.abc import Sequence

import sqlalchemy as sa

from gateway.alerts.language import mark
from gateway.alerts.outbox import AlertWording
from gateway.alerts.text import LONGEST, Alert, ClaimNote, Text, text_of
from gateway.database.tables import account, incident
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
    asker = account.alias()
    columns = (incident.c.claimed_by, incident.c.claim_eta, incident.c.closed, account.c.name)
    row = connection.execute(
        sa.select(*columns, asker.c.name.label("asking"))
        .join_from(incident, account, account.c.id == incident.c.claimed_by, isouter=True)
        .join(asker, asker.c.id == incident.c.closing_by, isouter=True)
        .where(incident.c.id == change.id)
    ).one()
    going = ClaimNote(row.name or "", row.claim_eta) if row.claimed_by else None
    closed = row.closed if change.change != "closed" else None
    alert = Alert(change, registry, wording.language, now, wording.public_url, going, closed,
                  row.asking or "")  # fmt: skip
    text = text_of(alert)
    if change.change != "closed" or row.claimed_by != reader:
        return text
    thanks = f"{text.body} {wording.language.text(_THANKS)}"
    return Text(text.title, thanks) if len(thanks) <= LONGEST else text


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

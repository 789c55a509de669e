"""A person who is notified of incidents, and their preferences."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from gateway.domain.outputs import THEFT_KINDS, WATER_KINDS, IncidentKind

Group = Literal["water", "theft", "sensor"]
"""What a person can choose. ``unknown`` may become a theft and counts as one."""
GROUPS: tuple[Group, ...] = get_args(Group)
DAY_MIN = 1440
MOST_PER_HOUR = 6
"""Assumed: an alert every ten minutes is as much as anybody reads while driving a round."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person who has at least one verified contact.

    ``sites``: only these, all when empty. ``quiet``: minutes after local midnight, from and until;
    the second may be the smaller one. ``snoozed``: by tank, until when (Unix s).
    """

    person: str
    coordinates: bool = False
    sites: frozenset[str] = frozenset()
    groups: frozenset[Group] = frozenset(GROUPS)
    quiet: tuple[int, int] | None = None
    per_hour: int = MOST_PER_HOUR
    snoozed: Mapping[str, float] = field(default_factory=dict[str, float])


def group_of(kind: IncidentKind) -> Group:
    """The group of an incident's kind."""
    if kind in WATER_KINDS or kind == "access_blocked":
        return "water"
    return "theft" if kind in THEFT_KINDS or kind == "unknown" else "sensor"


def accepts(recipient: Recipient, group: Group, site: str | None) -> bool:
    """Whether the person asked for this group of this site; None is what belongs to no site."""
    is_site = site is None or not recipient.sites or site in recipient.sites
    return group in recipient.groups and is_site


def is_quiet(recipient: Recipient, minute: int) -> bool:
    """Whether ``minute`` (after local midnight) is in the person's quiet hours."""
    if recipient.quiet is None:
        return False
    start, end = recipient.quiet
    return start <= minute < end if start <= end else minute >= start or minute < end

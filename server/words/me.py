"""A person's own page in words: where alerts reach them, of what, and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.alerts.people.contacts import CODE_S, MOST, Contact, ContactError, Trouble
from gateway.alerts.people.wishes import Wishes
from gateway.domain.dispatch.people import GROUPS, Group
from gateway.domain.registry import Registry
from server.words.language import LANGUAGES, PageLanguage, mark
from server.words.page import Option

_PER_HOUR = (1, 2, 3, 6, 10, 20)
_GROUPS: Mapping[Group, str] = {
    "water": mark("Water: low, empty, running out fast"),
    "theft": mark("A tank that moved or may have been taken"),
    "sensor": mark("Sensors and networks that need a hand"),
}
_TROUBLES: Mapping[Trouble, str] = {
    "known": mark("This is one of your contacts already."),
    "many": mark("You have {most} contacts: remove one first."),
    "removed": mark("This contact was removed: add it again."),
    "old_code": mark("This code is too old: have a new one sent."),
    "wrong_code": mark("This is not the code that was sent: check its six digits."),
    "no_address": mark("An address has 1 to 200 characters."),
    "no_email": mark("This is not an e-mail address; for example: name@example.org"),
    "no_phone": mark("A phone number has 6 to 15 digits after the +."),
}
WRONG_ADDRESS = mark("{service} cannot send to this address. Check how it is written.")
NOT_SENT = mark("{service} did not take the message. Try again later, or use another contact.")
CHOOSE_SITE = mark("Choose at least one site, or all of them.")
HALF_QUIET = mark("Quiet hours need both a begin and an end; leave both empty for none.")


@dataclass(frozen=True, slots=True)
class ContactLine:
    """One contact; ``state`` says whether and when it is tried."""

    id: str
    service: str
    ending: str
    state: str
    is_verified: bool
    can_be_first: bool


@dataclass(frozen=True, slots=True)
class SnoozeLine:
    """One tank that the person wants no alerts about for a while."""

    tank: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class WishForm:
    """The choices as the form shows them; times are ``HH:MM`` or empty."""

    sites: Sequence[Option]
    has_all_sites: bool
    groups: Sequence[Option]
    languages: Sequence[Option]
    quiet_from: str
    quiet_until: str
    per_hour: Sequence[Option]


@dataclass(frozen=True, slots=True)
class Note:
    """A message that a service carries."""

    title: str
    text: str


def heading(language: PageLanguage, contacts: Sequence[Contact], can_send: bool) -> str:
    """Whether alerts reach this person."""
    n = sum(one.is_verified for one in contacts)
    if not n or not can_send:
        return language.text("No alert reaches you yet")
    return language.plural(
        "Alerts reach you at {n} contact", "Alerts reach you at {n} contacts", n
    )  # fmt: skip


def hindrance(language: PageLanguage, has_services: bool, is_locked: bool) -> str:
    """Why no contact can be added or used, and who changes that; empty when nothing is wrong."""
    if not has_services:
        return language.text(
            "No service that reaches single people is set up yet; alerts go to the group’s "
            "channels only. A coordinator asks the operator to add one, and to set a "
            "passphrase with “noria unlock --new”."
        )
    if is_locked:
        return language.text(
            "Contacts are locked, as after each restart of the machine; alerts go to the group’s "
            "channels only. A coordinator, or the operator, opens them with “noria unlock”."
        )
    return ""


def lines(
    language: PageLanguage, contacts: Sequence[Contact], labels: Mapping[str, str]
) -> list[ContactLine]:
    """The contacts in the order in which they are tried."""
    found: list[ContactLine] = []
    is_first = True
    for one in contacts:
        is_known = one.service in labels
        state = language.text("waits for its code")
        if not is_known:
            state = language.text("its service is no longer there")
        elif one.is_verified:
            state = language.text("is tried first") if is_first else language.text("is tried next")
        can_be_first = is_known and one.is_verified and not is_first
        is_first = is_first and not (is_known and one.is_verified)
        found.append(
            ContactLine(
                one.id, labels.get(one.service, one.service), one.ending, state, one.is_verified,
                can_be_first,
            )
        )  # fmt: skip
    return found


def snoozes(
    language: PageLanguage, until: Mapping[str, float], registry: Registry, now: float
) -> list[SnoozeLine]:
    """The tanks that are quiet for this person, the first to end first."""
    return [
        SnoozeLine(
            tank,
            row.name or tank if (row := registry.tank(tank)) else tank,
            language.text("no alerts until {time}", time=language.moment(end, now)),
        )
        for tank, end in until.items()
    ]


def form(language: PageLanguage, wishes: Wishes, registry: Registry) -> WishForm:
    """The form with what the person chose."""
    names = {site: rows[-1].name or site for site, rows in registry.sites.items()}
    start, end = wishes.quiet or (None, None)
    counts = sorted({*_PER_HOUR, wishes.per_hour})
    return WishForm(
        sites=[Option(id, name, id in wishes.sites) for id, name in sorted(names.items())],
        has_all_sites=not wishes.sites,
        groups=[Option(g, language.text(_GROUPS[g]), g in wishes.groups) for g in GROUPS],
        languages=[Option(c, name, c == wishes.language) for c, name in LANGUAGES.items()],
        quiet_from=clock_field(start), quiet_until=clock_field(end),
        per_hour=[Option(str(n), language.number(n), n == wishes.per_hour) for n in counts],
    )  # fmt: skip


def clock_field(minute: int | None) -> str:
    """Minutes after midnight as a time field has them: ``22:00``; empty without."""
    return "" if minute is None else f"{minute // 60:02}:{minute % 60:02}"


def trouble(language: PageLanguage, error: ContactError) -> str:
    """What is wrong with a contact, and the remedy."""
    return language.text(_TROUBLES[error.trouble], most=MOST)


def code_note(language: PageLanguage, code: str) -> Note:
    """The message with the code."""
    text = language.text(
        "{code} is your code for Noria, for {time}. Nobody asks you for it. If you did not ask "
        "for it, leave it.",
        code=code, time=language.lasting(CODE_S),
    )  # fmt: skip
    return Note(language.text("Code for Noria"), text)


def test_note(language: PageLanguage) -> Note:
    """The message that a person sends to themselves."""
    text = language.text("This is a test that you asked for. Alerts reach you here.")
    return Note(language.text("Test of Noria"), text)

"""My alerts: where they reach me, of what, and when. An address is never shown again."""

from collections.abc import Callable
from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Form
from fastapi.responses import Response

from gateway.alerts.channels import TransportError
from gateway.alerts.people import contacts, wishes
from gateway.alerts.people.contacts import ContactError
from gateway.alerts.people.keys import ContactKeyError, Key
from gateway.alerts.people.services import Service
from gateway.alerts.people.wishes import Wishes
from gateway.database.engine import serialise
from gateway.database.transaction import write_transaction
from gateway.domain.dispatch.people import DAY_MIN, Group
from server.web import render
from server.web.guard import OurForm, Refused, SignedIn, Visit
from server.words import me as words
from server.words.language import mark

router = APIRouter(include_in_schema=False)
_GONE = mark("This contact was removed: add it again.")
_LOCKED = mark("Contacts are locked. A coordinator opens them with “noria unlock”.")
_WAIT = mark("Many messages were sent for you. Wait {time}, then try again.")
_CLOCK = r"^(([01]\d|2[0-3]):[0-5]\d(:\d\d)?)?$"
_ID = Annotated[str, Form(max_length=40)]


@router.get("/me")
def mine(visit: SignedIn) -> Response:
    """What reaches me."""
    return _show(visit)


@router.post("/me/contacts", dependencies=[OurForm])
def add(
    visit: SignedIn, service: _ID = "", address: Annotated[str, Form(max_length=400)] = ""
) -> Response:
    """Add a contact: a code is sent there."""
    through, key = _service(visit, service), _key(visit)
    try:
        usual = contacts.usual(address)
    except ContactError as error:
        return _show(visit, wrong=words.trouble(visit.language, error), status=400)
    if not through.takes(usual):
        wrong = visit.language.text(words.WRONG_ADDRESS, service=through.label)
        return _show(visit, wrong=wrong, status=400)
    return _send_code(visit, through, key, usual)


@router.post("/me/contacts/{contact}/code", dependencies=[OurForm])
def send_again(visit: SignedIn, contact: str) -> Response:
    """Send a new code to a contact that waits for it."""
    through, key, address = _known(visit, contact)
    return _send_code(visit, through, key, address)


@router.post("/me/contacts/{contact}/verify", dependencies=[OurForm])
def verify(
    visit: SignedIn, contact: str, code: Annotated[str, Form(max_length=40)] = ""
) -> Response:
    """The code has arrived: alerts may go there."""
    key, now = _key(visit), visit.parts.real.now()
    error = _tried(
        visit, lambda c: contacts.verify(c, key, visit.me.id, contact, code, now)
    )  # fmt: skip
    if error is not None:
        return _show(visit, wrong=words.trouble(visit.language, error), status=400)
    return render.go("/me")


@router.post("/me/contacts/{contact}/first", dependencies=[OurForm])
def put_first(visit: SignedIn, contact: str) -> Response:
    """Try this contact before my others."""
    _tried(visit, lambda c: contacts.put_first(c, visit.me.id, contact))
    return render.go("/me")


@router.post("/me/contacts/{contact}/remove", dependencies=[OurForm])
def remove(visit: SignedIn, contact: str) -> Response:
    """Nothing goes there any more."""
    with write_transaction(visit.parts.engine) as connection:
        contacts.remove(connection, visit.me.id, contact)
    return render.go("/me")


@router.post("/me/contacts/{contact}/test", dependencies=[OurForm])
def test(visit: SignedIn, contact: str) -> Response:
    """Send me a test message there."""
    through, _, address = _known(visit, contact, verified=True)
    wrong = _send(visit, through, address, words.test_note(visit.language))
    if wrong:
        return _show(visit, wrong=wrong, status=503)
    return _show(visit, done=visit.language.text("A test message is on its way."))


@router.post("/me/wishes", dependencies=[OurForm])
def wish(
    visit: SignedIn,
    language: Annotated[Literal["en", "fr"], Form()],
    where: Annotated[Literal["all", "some"], Form()] = "all",
    sites: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
    groups: Annotated[list[Group], Form()] = [],  # noqa: B006
    quiet_from: Annotated[str, Form(pattern=_CLOCK)] = "",
    quiet_until: Annotated[str, Form(pattern=_CLOCK)] = "",
    per_hour: Annotated[int, Form(ge=1, le=60)] = 6,
) -> Response:
    """What I want to be alerted of, and when."""
    known = visit.parts.registry().sites
    chosen = tuple(site for site in known if site in sites) if where == "some" else ()
    if where == "some" and not chosen:
        return _show(visit, wrong=visit.language.text(words.CHOOSE_SITE), status=400)
    start, end = _minute(quiet_from), _minute(quiet_until)
    if (start is None) != (end is None):
        return _show(visit, wrong=visit.language.text(words.HALF_QUIET), status=400)
    quiet = None if start is None or end is None or start == end else (start, end)
    with write_transaction(visit.parts.engine) as connection:
        kinds = tuple(dict.fromkeys(groups))
        wishes.save(
            connection, visit.me.id, Wishes(language, chosen, kinds, quiet, per_hour)
        )  # fmt: skip
    return _show(visit, done=visit.language.text("Saved."))


@router.post("/me/snoozes/{tank}/end", dependencies=[OurForm])
def end_snooze(visit: SignedIn, tank: str) -> Response:
    """Alerts about this tank come again."""
    with write_transaction(visit.parts.engine) as connection:
        wishes.set_snooze(connection, visit.me.id, tank, None)
    return render.go("/me")


def _minute(text: str) -> int | None:
    if not text:
        return None
    hours, minutes = text.split(":")[:2]
    return (int(hours) * 60 + int(minutes)) % DAY_MIN


def _tried(visit: Visit, act: Callable[[sa.Connection], object]) -> ContactError | None:
    """What was wrong; what the act has written is kept all the same, such as a wrong code's try."""
    with write_transaction(visit.parts.engine) as connection:
        serialise(connection)
        try:
            act(connection)
        except ContactError as error:
            return error
    return None


def _service(visit: Visit, name: str) -> Service:
    for one in visit.parts.services:
        if one.name == name:
            return one
    raise Refused(400, mark("This service is no longer there: choose another."))


def _key(visit: Visit) -> Key:
    key = visit.parts.keys.get()
    if key is None:
        raise Refused(
            503, mark("Contacts are locked. A coordinator opens them with “noria unlock”.")
        )
    return key


def _known(visit: Visit, contact: str, verified: bool = False) -> tuple[Service, Key, str]:
    """The service, the key and the address of one of the visitor's own contacts."""
    key = _key(visit)
    with visit.parts.engine.connect() as connection:
        own = {one.id: one for one in contacts.of(connection, visit.me.id)}
        found = own.get(contact)
        if found is None or (verified and not found.is_verified):
            raise Refused(400, _GONE)
        try:
            address = contacts.address(connection, key, contact)
        except ContactKeyError:  # sealed under a key that is gone
            address = None
    if address is None:
        raise Refused(400, _GONE)
    return _service(visit, found.service), key, address


def _send_code(visit: Visit, through: Service, key: Key, address: str) -> Response:
    wrong = _too_many(visit)
    if wrong:
        return _show(visit, wrong=wrong, status=429)
    codes: list[str] = []

    def draw(connection: sa.Connection) -> None:
        now = visit.parts.real.now()
        codes.append(contacts.add(connection, key, visit.me.id, through.name, address, now)[1])

    error = _tried(visit, draw)
    if error is not None:
        return _show(visit, wrong=words.trouble(visit.language, error), status=400)
    wrong = _deliver(visit, through, address, words.code_note(visit.language, codes[0]))
    if wrong:
        return _show(visit, wrong=wrong, status=503)
    return _show(visit, done=visit.language.text("A code is on its way. Type its six digits here."))


def _send(visit: Visit, through: Service, address: str, note: words.Note) -> str:
    return _too_many(visit) or _deliver(visit, through, address, note)


def _too_many(visit: Visit) -> str:
    wait_s = visit.parts.sends.take(visit.me.id, visit.parts.real.now())
    if not wait_s:
        return ""
    return visit.language.text(_WAIT, time=visit.language.lasting(wait_s + 60))


def _deliver(visit: Visit, through: Service, address: str, note: words.Note) -> str:
    """What went wrong, in words; empty when the service has accepted the message."""
    try:
        through.send(address, note.text, note.title)
    except TransportError:
        return visit.language.text(words.NOT_SENT, service=through.label)
    return ""


def _show(visit: Visit, done: str = "", wrong: str = "", status: int = 200) -> Response:
    parts, language, me = visit.parts, visit.language, visit.me
    with parts.engine.connect() as connection:
        own = contacts.of(connection, me.id)
        chosen = wishes.of(connection, me.id, parts.settings.language)
        quiet = wishes.snoozed(connection, me.id, visit.now)
    labels = {one.name: one.label for one in parts.services}
    registry, is_locked = parts.registry(), parts.keys.get() is None
    can_send = bool(labels) and not is_locked
    return render.page(
        visit, "me.html", status, snapshot=parts.snapshot(), tab="more", done=done, wrong=wrong,
        heading=words.heading(language, own, can_send), can_send=can_send,
        hindrance=words.hindrance(language, bool(labels), is_locked),
        contacts=words.lines(language, own, labels), services=parts.services,
        form=words.form(language, chosen, registry),
        snoozes=words.snoozes(language, quiet, registry, visit.now),
    )  # fmt: skip

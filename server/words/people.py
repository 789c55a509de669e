"""The page of people in words."""

from dataclasses import dataclass

from server.accounts.people import Person
from server.words.language import PageLanguage
from server.words.page import role


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One account; ``change`` is ``open`` or ``close``, empty for the visitor's own."""

    id: str
    name: str
    login: str
    role: str
    closed: bool
    change: str
    button: str


@dataclass(frozen=True, slots=True)
class Added:
    """A new account with its password, shown once."""

    text: str
    login: str
    password: str


def line(language: PageLanguage, person: Person, me: Person) -> PersonLine:
    """One account as ``me`` sees it."""
    change, button = "close", language.text("Close account")
    if person.disabled:
        change, button = "open", language.text("Open again")
    if person.id == me.id:
        change = ""
    return PersonLine(
        person.id, person.name, person.login, role(language, person).lower(), person.disabled,
        change, button,
    )  # fmt: skip


def added(language: PageLanguage, person: Person, password: str) -> Added:
    """What a coordinator passes on to the new person."""
    return Added(language.text("{name} can sign in now.", name=person.name), person.login, password)

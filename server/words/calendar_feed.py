"""The rota as a calendar in words: times and a site's code, nobody's name but the reader's."""

from collections.abc import Sequence

from gateway.domain.dispatch.rota import Turn
from server.accounts.people import Person
from server.views.icalendar import CalendarEvent
from server.views.rota import NOBODY
from server.words.language import PageLanguage


def name(language: PageLanguage, everybody: bool) -> str:
    """The calendar's name."""
    return language.text("Noria: all shifts") if everybody else language.text("Noria: my shifts")


def events(
    language: PageLanguage, turns: Sequence[Turn], reader: Person, everybody: bool
) -> list[CalendarEvent]:
    """One event for each turn of the reader, or of everybody."""
    return [
        CalendarEvent(
            uid=f"{turn.shift}-{turn.day:%Y%m%d}@noria", start=turn.start,
            minutes=round((turn.end - turn.start) / 60), summary=_summary(language, turn, reader),
        )
        for turn in turns
        if everybody or turn.person == reader.id
    ]  # fmt: skip


def _summary(language: PageLanguage, turn: Turn, reader: Person) -> str:
    who = language.text("Shift")
    if turn.person == reader.id:
        who = language.text("Shift of {name}", name=reader.name)
    elif turn.person == NOBODY:
        who = language.text("Shift that nobody has yet")
    return who if turn.site is None else f"{who}, {turn.site}"

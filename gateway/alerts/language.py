"""How the gateway says things: sentences, figures and times in one language and time zone.

Sentences are written in English in the code and are the keys of ``locale/<code>/gateway.po``. The
rules (14:04 and 14 h 04, numbers that never part from their units, litres rounded to 10, ranges
widened outward, chances in tenths) are those of the screens.
"""

import gettext
import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

LANGUAGES = ("en", "fr")
CATALOGUES = (Path(__file__).parent / "locale",)
_NARROW_S = 2 * 3600.0
_SPACE = "\u00a0"


def mark(message: str) -> str:
    """Mark a message for translation where it is written; it is said elsewhere."""
    return message


@cache
def _catalogue(code: str, folders: tuple[Path, ...]) -> gettext.NullTranslations:
    """All ``<folder>/<code>/*.po``, compiled in memory; the earlier folder wins."""
    words = gettext.NullTranslations()
    for path in [p for folder in folders for p in sorted((folder / code).glob("*.po"))]:
        compiled = io.BytesIO()
        with path.open("rb") as file:
            write_mo(compiled, read_po(file, locale=code))
        compiled.seek(0)
        found = gettext.GNUTranslations(compiled)
        found.add_fallback(words)
        words = found
    return words


class Language:
    """One language (``en`` or ``fr``; anything else is English) in one time zone.

    ``folders`` hold ``<code>/*.po``; a later folder's words come before an earlier one's.
    """

    def __init__(self, code: str, timezone: str, folders: Sequence[Path] = CATALOGUES) -> None:
        self.code = code if code in LANGUAGES else "en"
        self._zone = ZoneInfo(timezone)
        self._words = _catalogue(self.code, tuple(folders))

    # Sentences

    def text(self, message: str, /, **values: object) -> str:
        """The message in this language, its ``{names}`` filled in."""
        said = self._words.gettext(message)
        return said.format(**values) if values else said

    def plural(self, one: str, many: str, n: int, /, **values: object) -> str:
        """As ``text`` for ``n`` things; ``{n}`` is the number."""
        return self._words.ngettext(one, many, n).format(n=self.number(n), **values)

    # Figures

    def number(self, value: float) -> str:
        """A whole number, thousands grouped: ``1,250`` or ``1 250``."""
        return format_decimal(round(value), locale=self.code).replace("\u202f", _SPACE)

    def litres(self, litres: float) -> str:
        """``about 300 L``, rounded to 10; ``under 10 L``."""
        if litres < 10:
            return self.text("under 10\u00a0L")
        return self.text("about {litres}\u00a0L", litres=self.number(round(litres / 10) * 10))

    def rate(self, lph: float) -> str:
        """``about 130 L/h``, rounded to 10, without its sign."""
        rounded = max(round(abs(lph) / 10) * 10, 10)
        return self.text("about {litres}\u00a0L/h", litres=self.number(rounded))

    def chance(self, probability: float) -> str:
        """``about 7 in 10``, ``under 1 in 10``, ``under 1 in 20``, ``over 9 in 10``."""
        if probability < 0.05:
            return self.text("under 1 in 20")
        if probability < 0.1:
            return self.text("under 1 in 10")
        if probability > 0.95:
            return self.text("over 9 in 10")
        n = min(round(probability * 10), 9)
        return self.plural("about {n} in 10", "about {n} in 10", n)

    # Times

    def clock(self, at: float) -> str:
        """The time of day of Unix ``at``: ``14:04``, ``14 h 04``."""
        local = self._local(at)
        if self.code == "fr":
            return f"{local.hour}{_SPACE}h{_SPACE}{local.minute:02}"
        return f"{local.hour:02}:{local.minute:02}"

    def moment(self, at: float, now: float) -> str:
        """``clock``, with the weekday or the date before it when that is not today."""
        return f"{self._day(at, now)}{self.clock(at)}"

    def _day(self, at: float, now: float) -> str:
        """The weekday or the date and a space; empty for today."""
        days = (self._local(now).date() - self._local(at).date()).days
        if days == 0:
            return ""
        form = "EEE" if abs(days) < 7 else "d MMM"
        day = format_datetime(self._local(at), form, locale=self.code)
        return f"{day.replace(' ', _SPACE)}{_SPACE}"

    def lasting(self, seconds: float) -> str:
        """``31 min``, ``2 h 5 min``, ``3 days``."""
        minutes = max(round(seconds / 60), 1)
        if minutes < 60:
            return self.text("{n}\u00a0min", n=minutes)
        hours, rest = divmod(minutes, 60)
        if hours >= 48:
            return self.plural("{n}\u00a0day", "{n}\u00a0days", round(hours / 24))
        if rest and hours < 10:
            return self.text("{hours}\u00a0h {n}\u00a0min", hours=hours, n=rest)
        return self.text("{hours}\u00a0h", hours=hours)

    def span(self, lo: float, hi: float, now: float) -> str:
        """A range of moments, widened outward: to the hour when over 2 h, else to 5 minutes.

        ``14:55–15:40``, ``17–20 h``; with days when it does not end today: ``15 h – Thu 6 h``.
        """
        wide = hi - lo > _NARROW_S
        step_min = 60 if wide else 5
        start, end = self._down(lo, step_min), self._down(hi, step_min)
        if end < hi:
            end = self._down(hi + step_min * 60, step_min)
        today, last = self._local(now).date(), self._local(end - 1).date()
        if wide and self._local(start).date() == last == today:
            until = self._local(end).hour or 24
            return self.text("{lo}–{hi}\u00a0h", lo=self._local(start).hour, hi=until)
        if wide:
            first, until = self._full_hour(start, now), self._full_hour(end, now)
            return self.text("{lo} – {hi}", lo=first, hi=until)
        return self.text("{lo}–{hi}", lo=self.moment(start, now), hi=self.moment(end, now))

    def _full_hour(self, at: float, now: float) -> str:
        return f"{self._day(at, now)}{self._local(at).hour}{_SPACE}h"

    def _local(self, at: float) -> datetime:
        return datetime.fromtimestamp(at, self._zone)

    def _down(self, at: float, step_min: int) -> float:
        """The local time at or before, on the step."""
        local = self._local(at)
        part = timedelta(minutes=local.minute % step_min, seconds=local.second)
        return at - part.total_seconds() - local.microsecond / 1e6

"""Sentences, figures and times in one language and time zone, for alerts and for pages.

Messages are English in the code and the keys of ``locale/<code>/*.po``. Each rule of rounding and
wording is here once; where an alert and a page differ, ``Style`` names the difference.
"""

import gettext
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

LANGUAGES = ("en", "fr")
CATALOGUES = (Path(__file__).parent / "locale",)
_NARROW_S = 2 * 3600.0
_SPACE, _NARROW = "\u00a0", "\u202f"
_CLOSE_UP_BELOW = 10_000
"""Pages separate thousands from here on: four digits are read at once (SI Brochure, 5.4.4)."""
_UNITS = r"(?=(?:L|L/h|%|s|min|h|d|j|V|km|mm|g|Pa|°C|in|sur)(?![A-Za-zÀ-ÿ]))"


@dataclass(frozen=True, slots=True)
class Style:
    """What differs between a message that is read alone and a page whose figures age."""

    rate_step_lph: int
    groups_thousands: bool
    """Whether thousands are separated from 1,000 on, rather than from 10,000 on."""
    joins_units: bool
    """Whether spaces between a number and its unit in any message become no-break spaces."""
    is_age: bool
    """Whether lengths of time are ages: in whole units that have passed, from seconds on."""
    minutes_below_h: int
    """Lengths from this many hours on are without minutes."""
    names_near_days: bool
    """Whether days are ``today``, ``Monday``, ``12 Nov`` rather than none, ``Mon``, ``12 Nov``."""


ALERT = Style(10, True, False, False, 10, False)
PAGE = Style(5, False, True, True, 3, True)


def mark(message: str) -> str:
    """Mark a message for translation where it is written; ``Language.text`` translates it later."""
    return message


# Here, because Babel's data of one language takes 4 MB of memory.
_NAMES = {
    "EEE": mark("Mon Tue Wed Thu Fri Sat Sun"),
    "EEEE": mark("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    "MMM": mark("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"),
}
_FRENCH_FIGURES = str.maketrans(",.", "\u202f,")
_NEAR_DAYS = {0: mark("today"), 1: mark("tomorrow"), -1: mark("yesterday")}


@cache
def _catalogue(code: str, folders: tuple[Path, ...]) -> gettext.NullTranslations:
    """All ``<folder>/<code>/*.po``, compiled in memory; a later folder overrides an earlier one."""
    words = gettext.NullTranslations()
    for path in [p for folder in folders for p in sorted((folder / code).glob("*.po"))]:
        found = gettext.GNUTranslations(_compile(path, code))
        found.add_fallback(words)
        words = found
    return words


def _compile(path: Path, code: str) -> io.BytesIO:
    # 1 MB, which English saves: it has no catalogue.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=code))
    compiled.seek(0)
    return compiled


class Language:
    """One language (``en`` or ``fr``; anything else is English) in one time zone.

    ``folders`` hold ``<code>/*.po``; a later folder overrides an earlier one.
    """

    def __init__(
        self,
        code: str,
        timezone: str,
        folders: Sequence[Path] = CATALOGUES,
        style: Style = ALERT,
    ) -> None:
        self.code = code if code in LANGUAGES else "en"
        self._zone = ZoneInfo(timezone)
        self._words = _catalogue(self.code, tuple(folders))
        self._style = style

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return self._zone

    # Sentences

    def text(self, message: str, /, **values: object) -> str:
        """The message in this language, its ``{names}`` filled in; an int as ``number``."""
        translated = self._words.gettext(message)
        return self._join(translated.format(**self._shown(values)) if values else translated)

    def plural(self, one: str, many: str, n: int, /, **values: object) -> str:
        """As ``text`` for ``n`` things; ``{n}`` is the number."""
        message = self._words.ngettext(one, many, n)
        return self._join(message.format(n=self.number(n), **self._shown(values)))

    def _shown(self, values: Mapping[str, object]) -> dict[str, object]:
        """No figure reaches a sentence in Python's own form."""
        return {k: self.number(v) if isinstance(v, int) else v for k, v in values.items()}

    def _join(self, text: str) -> str:
        """No break before a unit, and the spaces of French punctuation."""
        if self._style.joins_units:
            text = re.sub(r"(?<=\d) " + _UNITS, _SPACE, text)
            text = re.sub(r"(?<=\d\u00a0h) (?=\d\d(?!\d))", _SPACE, text)
        if self.code != "fr":
            return text
        text = re.sub(r" (?=[:»])|(?<=«) ", _SPACE, text)
        return re.sub(r"[ \u00a0](?=[;?!])", _NARROW, text)

    # Figures

    def number(self, value: float) -> str:
        """A whole number: ``1250``, or by style ``1,250`` and ``1 250``; ``12,500``."""
        if not self._style.groups_thousands and abs(round(value)) < _CLOSE_UP_BELOW:
            return f"{round(value)}"
        return self._figures(f"{round(value):,}").replace(_NARROW, _SPACE)

    def decimal(self, value: float) -> str:
        """A number with one decimal place unless that is 0: ``3.5``, ``3,5``."""
        return self._figures(f"{round(value, 1):,}".removesuffix(".0"))

    def _figures(self, text: str) -> str:
        return text.translate(_FRENCH_FIGURES) if self.code == "fr" else text

    def quantity(self, value: float, unit: str, places: int = 0) -> str:
        """A figure that is not rounded to tens, with its unit: ``1000 L``, ``3.98 V``, ``3 mm``."""
        if not places:
            return f"{self.number(value)}{_SPACE}{unit}"
        return f"{self._figures(f'{value:,.{places}f}')}{_SPACE}{unit}"

    def litres(self, litres: float) -> str:
        """``480 L``, rounded to 10 and never negative."""
        return f"{self._tens(litres)}{_SPACE}L"

    def about_litres(self, litres: float) -> str:
        """``about 300 L``, rounded to 10; ``under 10 L``."""
        if litres < 10:
            return self.text("under 10\u00a0L")
        return self.text("about {litres}\u00a0L", litres=self._tens(litres))

    def _tens(self, litres: float) -> str:
        return self.number(max(round(litres / 10), 0) * 10)

    def rate(self, lph: float) -> str:
        """``35 L/h``, rounded to the style's step and at least one step, without its sign."""
        return f"{self._rate(lph)}{_SPACE}L/h"

    def about_rate(self, lph: float) -> str:
        """``about 130 L/h``: ``rate`` inside a sentence."""
        return self.text("about {litres}\u00a0L/h", litres=self._rate(lph))

    def _rate(self, lph: float) -> str:
        step = self._style.rate_step_lph
        return self.number(max(round(abs(lph) / step) * step, step))

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

    def clock(self, at: float, seconds: bool = False) -> str:
        """The time of day of Unix ``at``: ``14:04``, ``14 h 04``; with seconds ``14:04:07``."""
        local = self.local(at)
        seconds = seconds and local.second > 0
        if self.code != "fr":
            return f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
        parts = [f"{local.hour}", "h", f"{local.minute:02}"]
        return _SPACE.join([*parts, "min", f"{local.second:02}", "s"] if seconds else parts)

    def hour(self, at: float) -> str:
        """The full hour of Unix ``at``: ``7 h``, on axes and in ranges."""
        return f"{self.local(at).hour}{_SPACE}h"

    def day(self, at: float, now: float) -> str:
        """The day of ``at``: ``today``, ``Monday``, ``12 Nov``; in alerts none today, ``Mon``."""
        days = self._days_ahead(at, now)
        if not self._style.names_near_days:
            pattern = "EEE" if abs(days) < 7 else "d MMM"
            return self.date(at, pattern).replace(" ", _SPACE) if days else ""
        if days in _NEAR_DAYS:
            return self.text(_NEAR_DAYS[days])
        return self.date(at, "EEEE" if days in range(2, 7) else "d MMM")

    def moment(self, at: float, now: float, seconds: bool = False) -> str:
        """``clock``, with the day before it when that is not today: ``Fri 13:58``."""
        clock = self.clock(at, seconds)
        if self.is_today(at, now):
            return clock
        return f"{self.day(at, now)}{' ' if self._style.names_near_days else _SPACE}{clock}"

    def lasting(self, seconds: float) -> str:
        """A length of time: ``20 s``, ``31 min``, ``2 h 5 min``, ``3 days``."""
        is_age = self._style.is_age
        if is_age and seconds < 59.5:
            return self.text("{n}\u00a0s", n=int(max(seconds, 0.0)))
        minutes = max(int(seconds // 60) if is_age else round(seconds / 60), 1)
        if minutes < 60:
            return self.text("{n}\u00a0min", n=minutes)
        hours, rest = divmod(minutes, 60)
        if hours >= 48:
            days = hours // 24 if is_age else round(hours / 24)
            return self.plural("{n}\u00a0day", "{n}\u00a0days", days)
        if rest and hours < self._style.minutes_below_h:
            return self.text("{hours}\u00a0h {n}\u00a0min", hours=hours, n=rest)
        return self.text("{hours}\u00a0h", hours=hours)

    def span(self, lo: float, hi: float, now: float) -> str:
        """A range of moments, widened outward: ``14:55–15:40``, ``17–20 h``, ``15 h – Thu 6 h``."""
        start, end, by_hour = self.widen(lo, hi)
        if not by_hour:
            return self.text("{lo}–{hi}", lo=self.moment(start, now), hi=self.moment(end, now))
        if self.is_today(start, now) and self.is_today(end - 1, now):
            until = self.local(end).hour or 24
            return self.text("{lo}–{hi}\u00a0h", lo=self.local(start).hour, hi=until)
        first, until = self._full_hour(start, now), self._full_hour(end, now)
        return self.text("{lo} – {hi}", lo=first, hi=until)

    def widen(self, lo: float, hi: float) -> tuple[float, float, bool]:
        """The ends of a range moved outward, and whether to full hours (over 2 h) or 5 minutes."""
        by_hour = hi - lo > _NARROW_S
        step_min = 60 if by_hour else 5
        start, end = self._down(lo, step_min), self._down(hi, step_min)
        if end < hi or end == start:
            end = self._down(hi + step_min * 60, step_min)
        return start, end, by_hour

    def is_today(self, at: float, now: float) -> bool:
        """Whether both moments are on one local day."""
        return self._days_ahead(at, now) == 0

    def date(self, at: float, pattern: str) -> str:
        """The local time by CLDR's d, H, HH, EEE, EEEE, MMM: ``EEE d MMM`` is ``Sat 21 Nov``."""
        local = self.local(at)
        day = local.weekday()
        places = {"EEE": day, "EEEE": day, "MMM": local.month - 1}
        figures = {"d": f"{local.day}", "H": f"{local.hour}", "HH": f"{local.hour:02}"}
        fields = pattern.split(" ")
        return " ".join(figures.get(f) or self.text(_NAMES[f]).split()[places[f]] for f in fields)

    def local(self, at: float) -> datetime:
        """Unix ``at`` in this time zone."""
        return datetime.fromtimestamp(at, self._zone)

    def _days_ahead(self, at: float, now: float) -> int:
        return (self.local(at).date() - self.local(now).date()).days

    def _full_hour(self, at: float, now: float) -> str:
        day = "" if self.is_today(at, now) else f"{self.day(at, now)}{_SPACE}"
        return f"{day}{self.hour(at)}"

    def _down(self, at: float, step_min: int) -> float:
        """The local time at or before ``at`` that is a multiple of the step."""
        local = self.local(at)
        minute = local.minute - local.minute % step_min
        return at - (local - local.replace(minute=minute, second=0, microsecond=0)).total_seconds()

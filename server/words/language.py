"""One reader's language and time zone, with what only pages need: markup, ages, windows, axes.

Messages are written in English in the code; ``locale/<code>/server.po`` has the others.
"""

import re
from datetime import timedelta
from math import ceil, floor
from pathlib import Path

from markupsafe import Markup, escape

from gateway.alerts.language import CATALOGUES, PAGE, Language, mark
from gateway.domain.outputs import Span

__all__ = ["LANGUAGES", "PageLanguage", "mark"]

LANGUAGES = {"en": "English", "fr": "Français"}
FOLDERS = (*CATALOGUES, Path(__file__).parents[1] / "locale")


class PageLanguage(Language):
    """The gateway's language in the style of pages."""

    def __init__(self, code: str, zone: str) -> None:
        super().__init__(code, zone, FOLDERS, PAGE)

    def rich(self, message: str, /, **values: object) -> Markup:
        """As ``text``, for markup: ``**bold**`` in the message, values escaped unless Markup."""
        text = str(escape(self._words.gettext(message)))
        text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
        return Markup(self._join(str(Markup(text).format(**self._shown(values)))))  # noqa: S704 - escaped above

    def labelled(self, name: str, text: str) -> str:
        """``Canal 2: low``; in French with a space before the colon."""
        return self.text("{name}: {text}", name=name, text=text)

    def percent(self, pct: float) -> str:
        """``48 %``, between 0 and 100."""
        return self.quantity(min(max(pct, 0.0), 100.0), "%")

    def bounded(self, litres: float, least_l: float | None, most_l: float | None) -> str:
        """``340 L (310–370)``: the bounds rounded outward to 10; without bounds ``340 L``."""
        if least_l is None or most_l is None:
            return self.litres(litres)
        lo, hi = max(floor(least_l / 10), 0) * 10, max(ceil(most_l / 10), 0) * 10
        return f"{self.litres(litres)} ({self.number(lo)}–{self.number(hi)})"

    def volts(self, millivolts: float) -> str:
        """``3.98 V``, or ``3,98 V`` in French."""
        return self.quantity(millivolts / 1000, "V", places=2)

    def number_word(self, n: int) -> str:
        """Numbers to ten as words: ``three``."""
        words = self.text("none one two three four five six seven eight nine ten").split()
        return words[n] if n < len(words) else self.number(n)

    def age(self, seconds: float) -> str:
        """``6 min ago``."""
        return self.text("{time} ago", time=self.lasting(seconds))

    def aged(self, at: float, now: float) -> Markup:
        """The age of Unix ``at`` in an element whose text the page's script updates."""
        iso = self.local(at).isoformat(timespec="seconds")
        element = Markup('<time datetime="{}" data-at="{:.0f}">{}</time>')
        return element.format(iso, at, self.age(now - at))

    def today(self, now: float) -> str:
        """``Sat 21 Nov, 14:32``."""
        return f"{self.date(now, 'EEE d MMM')}, {self.clock(now)}"

    def midnights(self, start: float, end: float, step_h: int) -> list[float]:
        """The local times divisible by ``step_h`` hours within a range, Unix s."""
        at = self.local(start).replace(minute=0, second=0, microsecond=0)
        found: list[float] = []
        while (unix := at.timestamp()) <= end:
            if unix >= start and at.hour % step_h == 0:
                found.append(unix)
            at = (at.replace(tzinfo=None) + timedelta(hours=1)).replace(tzinfo=self._zone)
        return found

    def window(self, span: Span, now: float, bare: bool = False) -> str:
        """``today 17–20 h`` (``bare``: no day when it is today), ``14:55–15:40``."""
        lo, hi, by_hour = self.widen(span.lo, span.hi)
        day, today = self.day(lo, now), self.is_today(lo, now)
        if self.day(hi - 1, now) != day:
            return f"{self._day_hour(lo, now)} – {self._day_hour(hi, now)}"
        if by_hour:
            hours = f"{self._hour(lo)}–{self._last_hour(hi)}\u00a0h"
            return hours if today and bare else f"{day} {hours}"
        text = f"{self.clock(lo)}–{self.clock(hi)}"
        return text if today else f"{day} {text}"

    def between(self, span: Span, now: float) -> str:
        """The window inside a sentence: ``today between 17 and 20 h``."""
        lo, hi, by_hour = self.widen(span.lo, span.hi)
        day = self.day(lo, now)
        if self.day(hi - 1, now) != day:
            first, last = self._day_hour(lo, now), self._day_hour(hi, now)
            return self.text("between {lo} and {hi}", lo=first, hi=last)
        if by_hour:
            first, last = self._hour(lo), self._last_hour(hi)
            hours = self.text("between {lo} and {hi} h", lo=first, hi=last)
            return f"{day} {hours}"
        text = self.text("between {lo} and {hi}", lo=self.clock(lo), hi=self.clock(hi))
        return text if self.is_today(lo, now) else f"{day} {text}"

    def _hour(self, at: float) -> str:
        return f"{self.local(at).hour}"

    def _last_hour(self, at: float) -> str:
        return f"{self.local(at).hour or 24}"

    def _day_hour(self, at: float, now: float) -> str:
        return f"{self.day(at, now)} {self.hour(at)}"

"""One reader's language and time zone: everything that a page says goes through here.

Messages are written in English in the code; ``locale/<code>/server.po`` holds the others.
"""

import re
from datetime import timedelta
from math import ceil, floor
from pathlib import Path

from babel.dates import format_date, format_datetime
from markupsafe import Markup, escape

from gateway.alerts.language import CATALOGUES, Language, mark
from gateway.domain.outputs import Span

__all__ = ["LANGUAGES", "Speech", "mark"]

LANGUAGES = {"en": "English", "fr": "Français"}
FOLDERS = (*CATALOGUES, Path(__file__).parent.parent / "locale")
_NARROW_S = 2 * 3600.0
_UNITS = r"(?=(?:L|L/h|%|s|min|h|d|j|V|km|in|sur)(?![A-Za-zÀ-ÿ]))"


class Speech(Language):
    """The gateway's language, with what pages need beside: markup, bare figures, days, axes."""

    def __init__(self, code: str, zone: str) -> None:
        super().__init__(code, zone, FOLDERS)

    def say(self, message: str, /, **values: object) -> str:
        """The message in the reader's language; numbers never part from their units."""
        text = self._words.gettext(message)
        return self._glue(text.format(**values) if values else text)

    def rich(self, message: str, /, **values: object) -> Markup:
        """As ``say``, for markup: ``**bold**`` in the message, values escaped unless Markup."""
        text = str(escape(self._words.gettext(message)))
        text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
        return Markup(self._glue(str(Markup(text).format(**values))))  # noqa: S704 - escaped above

    def plural(self, one: str, many: str, n: int, /, **values: object) -> str:
        """As ``say``, for a number ``n`` of things."""
        return self._glue(self._words.ngettext(one, many, n).format(n=n, **values))

    def _glue(self, text: str) -> str:
        text = re.sub(r"(?<=\d) " + _UNITS, "\u00a0", text)
        text = re.sub(r"(?<=\d\u00a0h) (?=\d\d(?!\d))", "\u00a0", text)
        return re.sub(r" (?=[:;?!»])|(?<=«) ", "\u00a0", text) if self.code == "fr" else text

    # Figures

    def litres(self, litres: float) -> str:
        """Litres rounded to 10: ``480 L``."""
        return f"{max(round(litres / 10), 0) * 10:.0f}\u00a0L"

    def rate(self, lph: float) -> str:
        """Litres per hour, rounded to 5: ``35 L/h``."""
        return f"{max(round(abs(lph) / 5) * 5, 5)}\u00a0L/h"

    def percent(self, pct: float) -> str:
        """``48 %``, never more than all."""
        return f"{min(max(round(pct), 0), 100)}\u00a0%"

    def number_word(self, n: int) -> str:
        """Small numbers as words: ``three``."""
        words = self.say("none one two three four five six seven eight nine ten").split()
        return words[n] if n < len(words) else str(n)

    # Times

    def clock(self, at: float, seconds: bool = False) -> str:
        """A time of day: ``14:28``, or ``14 h 28`` in French; with seconds ``14:28:07``."""
        local = self._local(at)
        return local.strftime("%H:%M:%S") if seconds and local.second else super().clock(at)

    def iso(self, at: float) -> str:
        """For the ``datetime`` attribute: local time with its offset."""
        return self._local(at).isoformat(timespec="seconds")

    def lasting(self, seconds: float) -> str:
        """A length of time: ``20 s``, ``6 min``, ``1 h 31 min``, ``3 h``, ``2 days``."""
        seconds = max(seconds, 0.0)
        if seconds < 59.5:
            return self.say("{n} s", n=int(seconds))
        minutes = int(seconds // 60)
        if minutes < 60:
            return self.say("{n} min", n=minutes)
        hours, rest = divmod(minutes, 60)
        if hours < 3 and rest:
            return self.say("{h} h {m} min", h=hours, m=rest)
        if hours < 48:
            return self.say("{n} h", n=hours)
        return self.plural("{n} day", "{n} days", hours // 24)

    def age(self, seconds: float) -> str:
        """``6 min ago``."""
        return self.say("{time} ago", time=self.lasting(seconds))

    def aged(self, at: float, now: float) -> Markup:
        """An age that the page's script keeps right: ``6 min ago``."""
        text = self.age(now - at)
        return Markup('<time datetime="{}" data-at="{:.0f}">{}</time>').format(
            self.iso(at), at, text
        )

    def day(self, at: float, now: float) -> str:
        """``today``, ``tomorrow``, ``yesterday``, a weekday within six days, or a date."""
        days = (self._local(at).date() - self._local(now).date()).days
        near = {0: self.say("today"), 1: self.say("tomorrow"), -1: self.say("yesterday")}
        if days in near:
            return near[days]
        skeleton = "EEEE" if 0 < days < 7 else "d MMM"
        return format_date(self._local(at), skeleton, locale=self.code)

    def moment(self, at: float, now: float, seconds: bool = False) -> str:
        """A time of day, with its day when that is not today: ``13:58``, ``yesterday 20:50``."""
        clock = self.clock(at, seconds)
        day = self.day(at, now)
        return clock if day == self.say("today") else f"{day} {clock}"

    def today(self, now: float) -> str:
        """``Sat 21 Nov, 14:32``."""
        date = format_date(self._local(now), "EEE d MMM", locale=self.code)
        return f"{date}, {self.clock(now)}"

    def label(self, at: float, skeleton: str) -> str:
        """A short label of an axis, by a CLDR pattern: ``Mon``, ``18 h``."""
        return format_datetime(self._local(at), skeleton, tzinfo=self._zone, locale=self.code)

    def midnights(self, start: float, end: float, step_h: int) -> list[float]:
        """The local times divisible by ``step_h`` hours within a range, Unix s."""
        at = self._local(start).replace(minute=0, second=0, microsecond=0)
        found: list[float] = []
        while (unix := at.timestamp()) <= end:
            if unix >= start and at.hour % step_h == 0:
                found.append(unix)
            at = (at.replace(tzinfo=None) + timedelta(hours=1)).replace(tzinfo=self._zone)
        return found

    # Spans: 80 % ranges, widened outward

    def _ends(self, span: Span) -> tuple[float, float, bool]:
        wide = span.hi - span.lo > _NARROW_S
        step = 3600.0 if wide else 300.0
        return floor(span.lo / step) * step, ceil(span.hi / step) * step, wide

    def _hour(self, at: float) -> str:
        return self._local(at).strftime("%H")

    def window(self, span: Span, now: float, bare: bool = False) -> str:
        """``today 17–20 h`` (``bare``: no day when it is today), ``14:55–15:40``."""
        lo, hi, wide = self._ends(span)
        day = self.day(lo, now)
        today = day == self.say("today")
        if self.day(hi - 1, now) != day:
            return f"{self._one(lo, now)} – {self._one(hi, now)}"
        if wide:
            last = self._hour(hi) if self._hour(hi) != "00" else "24"
            hours = self._glue(f"{self._hour(lo)}–{last} h")
            return hours if today and bare else f"{day} {hours}"
        text = f"{self.clock(lo)}–{self.clock(hi)}"
        return text if today else f"{day} {text}"

    def _one(self, at: float, now: float) -> str:
        return self._glue(f"{self.day(at, now)} {self._hour(at)} h")

    def between(self, span: Span, now: float) -> str:
        """The window inside a sentence: ``today between 17 and 20 h``."""
        lo, hi, wide = self._ends(span)
        day = self.day(lo, now)
        if self.day(hi - 1, now) != day:
            return self.say("between {lo} and {hi}", lo=self._one(lo, now), hi=self._one(hi, now))
        if wide:
            last = self._hour(hi) if self._hour(hi) != "00" else "24"
            hours = self.say("between {lo} and {hi} h", lo=self._hour(lo), hi=last)
            return f"{day} {hours}"
        text = self.say("between {lo} and {hi}", lo=self.clock(lo), hi=self.clock(hi))
        return text if day == self.say("today") else f"{day} {text}"

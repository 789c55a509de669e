"""What is wrong with the figures and the punctuation of a text that people read.

The rules are those of ``gateway.alerts.language``, written apart from it: one for each way in which
a figure that was not made there has reached a page.
"""

import re
from html import unescape

_UNITS = r"(?:L|L/h|L/min|%|s|min|h|d|j|V|km|mm|°C)(?![A-Za-zÀ-ÿ/])"
_BOTH = (
    ("a figure parted from its unit", rf"\d(?: |\u202f){_UNITS}"),
    ("a figure stuck to its unit", r"\d(?:L|V|%|mm|km|min)(?![A-Za-zÀ-ÿ\d])"),
    ("thousands that are not separated", r"(?<![\w.-])\d{5,}(?![\w-])"),
    ("an hour with a leading zero", r"(?<![\d:\u00a0.,])0\d\u00a0h"),
    ("a binary fraction's digits", r"\d\.\d{3,}|\d,\d{4,}"),
    ("a figure as Python writes it", r"\b(?:None|nan|inf|True|False)\b|\d[eE][+-]?\d"),
    ("a typewriter's apostrophe", r"[A-Za-zÀ-ÿ]'[A-Za-zÀ-ÿ]"),
    ("three full stops", r"\.\.\."),
    ("a name that was not filled in", r"\{\w*\}"),
)
_ENGLISH = (
    ("a space before punctuation", r"[ \u00a0\u202f][:;!?,.](?!\d)"),
    ("a decimal comma", r"\d,\d{1,2}(?!\d)"),
    ("a French time of day", r"\d\u00a0h\u00a0\d\d(?!\d|\u00a0(?:min|s))"),
    ("French quotation marks", r"[«»]"),
)
_FRENCH = (
    ("no narrow space before ; ! ?", r"[^\u202f][;!?]"),
    ("no no-break space before a colon", r"[^\u00a0\u202f]:(?!//|\d\d)"),
    ("a decimal point", r"(?<![\d.])\d+\.\d+(?![\d.]*\.\d)"),
    ("an English time of day", r"\d:\d\d"),
    ("thousands with a comma", r"\d,\d{3}(?!\d)"),
    ("quotation marks without their spaces", r"«(?![\u00a0\u202f])|(?<![\u00a0\u202f])»"),
    ("English quotation marks", r"[“”]"),
)
_AS_WRITTEN = re.compile(
    r"<(script|style|svg|code|kbd|textarea)\b.*?</\1>|<!--.*?-->|https?://[^\s<\"]*", re.DOTALL
)
_READ_OUT = re.compile(r'(?:aria-label|alt|title|placeholder|data-ago|data-live)="([^"]*)"')
_INLINE = re.compile(r"</?(?:a|strong|em|b|span|time)\b[^>]*>")
_TAG = re.compile(r"<[^>]*>")


def faults(text: str, language: str) -> list[str]:
    """Each fault as its rule and where it is; none is an empty list. ``language``: en or fr."""
    rules = (*_BOTH, *(_FRENCH if language == "fr" else _ENGLISH))
    found: list[str] = []
    for rule, pattern in rules:
        for hit in re.finditer(pattern, text):
            around = text[max(hit.start() - 25, 0) : hit.end() + 15]
            found.append(f"{rule}: {around!r}")
    return found


def texts(html: str) -> list[str]:
    """What a page shows or reads out: the text of each block, and the labels.

    Program text, drawings and addresses are left out, titles of drawings are not.
    """
    titles = [unescape(t) for t in re.findall(r"<title>(.*?)</title>", html, re.DOTALL)]
    kept = _AS_WRITTEN.sub(" ", html)
    labels = [unescape(label) for label in _READ_OUT.findall(kept)]
    blocks = _TAG.sub("\n", _INLINE.sub("", kept)).split("\n")
    shown = (unescape(block).strip(" \t\r\n") for block in blocks)
    return [one for one in (*titles, *labels, *shown) if one]


def faults_of_page(html: str, language: str) -> list[str]:
    """The faults of all that a page shows."""
    return [fault for text in texts(html) for fault in faults(text, language)]

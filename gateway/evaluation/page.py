"""The results as one page: HTML with inline plots, no other files, light and dark."""

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape

from gateway.domain.outputs import THEFT_KINDS
from gateway.evaluation import plots
from gateway.evaluation.outlook import KNOWN_S
from gateway.evaluation.report import shown
from gateway.evaluation.scores import Score, confusion, part, reliability, rule_errors, scores
from gateway.evaluation.sheet import Sheet

_STYLE = """
:root{color-scheme:light dark;--ink:#1b2430;--paper:#fff;--line:#cfd6de;--bar:#2f6f9f;
--good:47,125,79;--bad:190,70,50;--other:#b5651d}
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf0;--paper:#12171d;--line:#3a444f;--bar:#6fb1e0;
--good:90,180,120;--bad:230,120,95;--other:#e0a060}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);
max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse}
td,th{padding:.2rem .6rem;border-bottom:1px solid var(--line);text-align:left}
td.n{text-align:right;font-variant-numeric:tabular-nums}.ok{color:rgb(var(--good))}
.miss{color:rgb(var(--bad));font-weight:600}.wide{overflow-x:auto}
.matrix td{text-align:center;min-width:2.2rem}.matrix th{font-weight:400;font-size:.85rem}
.matrix .good{background:rgba(var(--good),calc(.15 + .7*var(--part)))}
.matrix .bad{background:rgba(var(--bad),calc(.15 + .7*var(--part)))}
svg{max-width:40rem;width:100%;height:auto}svg text{fill:currentColor;font-size:13px}
.bar,.s0{fill:var(--bar);fill-opacity:.75}.s1{fill:var(--other);fill-opacity:.75}
.goal{stroke:rgb(var(--good));stroke-dasharray:5 4;stroke-width:2}.grid{stroke:var(--line)}
.axis{stroke:currentColor;fill:none}
"""

_LIMITS = (
    "All stories are simulated. The parameters are drawn within ranges documented for tanks,"
    " sensors, radios and batteries; none is fitted to a real site.",
    "Not modelled: rain, ice, evaporation, foam, load cells, pressure probes, third-party feeds,"
    " two sensors in one tank, operators who act on incidents, a gateway clock that is stepped.",
    "A delivery is observable when at least two readings that reached the gateway before the next"
    " one show it: their true level is more than two stated sd above that of the reading before."
    " Others are drawn off before a second reading, or come after the last; no method sees those.",
    "How often each harmless thing happens is an assumption; the rate of false alarms follows it.",
    "A theft without any trace that reaches the gateway is not among the stories.",
    "The simple forecast rules are given the true draws of the past; the watch has readings alone.",
)


def html(sheet: Sheet, command: str, version: str) -> str:
    """The whole page. ``command`` makes it again; ``version`` is that of the program."""
    sections = "".join(
        f"<section><h2>{escape(title)}</h2>{body}</section>" for title, body in _sections(sheet)
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>How well Noria judges</title><style>{_STYLE}</style></head><body>"
        f"<h1>How well Noria judges</h1><p>{_origin(sheet, command, version)}</p>{sections}"
        "</body></html>\n"
    )


def _origin(sheet: Sheet, command: str, version: str) -> str:
    return (
        f"Noria {escape(version)}: {sheet.stories} simulated stories, {sheet.readings} readings,"
        f" of them {sheet.ordinary_days / 365.25:.0f} tank-years of ordinary life, with seeds that"
        f" no rule was fitted on. This page is made by <code>{escape(command)}</code>."
    )


def _sections(sheet: Sheet) -> Iterator[tuple[str, str]]:
    yield "Figures and goals", _goals(scores(sheet))
    yield "What it was, and the first guess", _confusion(sheet)
    yield "Precision of each theft kind", _precision(sheet)
    yield "Recall of each theft kind", _recall(sheet)
    yield "False alarms in a tank-year of ordinary life", _alarms(sheet)
    yield "Minutes from a theft to its incident", _delays(sheet)
    yield "Are the probabilities right?", _reliability(sheet)
    yield "Time to empty, about a day ahead: median error", _forecasts(sheet)
    yield "Limits", f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in _LIMITS)}</ul>"


def _goals(found: Sequence[Score]) -> str:
    marks = {True: ("ok", "met"), False: ("miss", "missed"), None: ("", "")}
    rows = "".join(
        f"<tr><td>{escape(s.group)}</td><td>{escape(s.name)}</td>"
        f'<td class="n">{shown(s.value)}</td><td>{escape(s.goal)}</td>'
        f'<td class="{marks[s.is_met][0]}">{marks[s.is_met][1]}</td></tr>'
        for s in found
    )
    head = "<tr><th></th><th>figure</th><th>value</th><th>goal</th><th></th></tr>"
    return f'<div class="wide"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def _confusion(sheet: Sheet) -> str:
    found = confusion(sheet)
    accepts = {guess.label: set(guess.accepts) for guess in sheet.guesses}
    seen = {kind for guesses in found.values() for kind in guesses}
    columns = sorted(seen, key=lambda kind: (kind == "none", kind))
    rows = [
        (label, [(guesses[kind], kind in accepts[label]) for kind in columns])
        for label, guesses in sorted(found.items())
    ]
    return plots.matrix(rows, columns)


def _precision(sheet: Sheet) -> str:
    rows: list[tuple[str, float | None, str]] = []
    for kind in THEFT_KINDS:
        right, called = sheet.called.get(kind, [0, 0])
        rows.append((kind.replace("_", " "), part(right, called), f"{right} of {called}"))
    return plots.bars(rows, 1.0, 0.95)


def _recall(sheet: Sheet) -> str:
    true = Counter(d.kind for d in sheet.detections)
    hit = Counter(d.kind for d in sheet.detections if d.is_found)
    rows = [
        (kind.replace("_", " "), part(hit[kind], true[kind]), f"{hit[kind]} of {true[kind]}")
        for kind in THEFT_KINDS
    ]
    return plots.bars(rows, 1.0, 0.95)


def _alarms(sheet: Sheet) -> str:
    years = sheet.ordinary_days / 365.25
    rates = {kind: part(count, years) or 0.0 for kind, (count,) in sheet.alarms.items()}
    if not rates:
        return "<p>None.</p>"
    rows = [
        (kind.replace("_", " "), rate, shown(rate))
        for kind, rate in sorted(rates.items(), key=lambda item: -item[1])
    ]
    return plots.bars(rows, max(*rates.values(), 1.0), 1.0)


def _delays(sheet: Sheet) -> str:
    rows = [
        (
            kind.replace("_", " "),
            [d.delay_s / 60 for d in sheet.detections if d.kind == kind and d.delay_s is not None],
        )
        for kind in THEFT_KINDS
    ]
    return plots.dots(rows, "minutes")


def _reliability(sheet: Sheet) -> str:
    thefts = [b for b in sheet.beliefs if b.is_theft_kind]
    series = [("all incidents", reliability(sheet.beliefs)), ("theft kinds", reliability(thefts))]
    return plots.reliability(series)


def _forecasts(sheet: Sheet) -> str:
    known = [p for p in sheet.forecasts if p.known_s >= KNOWN_S]
    rows = [
        (name, error, "-" if error is None else f"{100 * error:.0f} %")
        for name, error in rule_errors(known).items()
    ]
    return plots.bars(rows, max((e or 0.0 for _, e, _ in rows), default=1.0) or 1.0, 0.2)

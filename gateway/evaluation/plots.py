"""Small plots as inline SVG. Their colours are variables of the page, which has light and dark."""

from collections.abc import Sequence
from html import escape
from math import log10

_WIDTH = 640
_LEFT = 210
_ROW = 24


def bars(
    rows: Sequence[tuple[str, float | None, str]], largest: float, mark: float | None = None
) -> str:
    """Horizontal bars: label, value, text beside it; ``mark`` is a goal as a vertical line."""
    height = _ROW * len(rows) + 8
    span = _WIDTH - _LEFT - 90
    parts = [_svg(height)]
    for i, (label, value, text) in enumerate(rows):
        y = i * _ROW + 4
        parts.append(_text(_LEFT - 8, y + 15, label, "end"))
        width = span * min((value or 0.0) / largest, 1.0) if largest else 0.0
        parts.append(f'<rect class="bar" x="{_LEFT}" y="{y}" width="{width:.1f}" height="16"/>')
        parts.append(_text(_LEFT + width + 6, y + 13, text))
    if mark is not None and largest:
        x = _LEFT + span * min(mark / largest, 1.0)
        parts.append(f'<line class="goal" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height}"/>')
    return "".join([*parts, "</svg>"])


def reliability(series: Sequence[tuple[str, Sequence[tuple[float, float, int]]]]) -> str:
    """Mean probability against the part that was right; the area of a point is its count."""
    side, left = 300, 46
    parts = [_svg(side + 46)]
    parts.append(
        f'<line class="goal" x1="{left}" y1="{side}" x2="{left + side - 10}" y2="10"/>'
        f'<path class="axis" d="M{left} 10V{side}H{left + side}"/>'
    )
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        at = tick * (side - 10)
        parts.append(_text(left + at, side + 16, f"{tick:g}", "middle"))
        parts.append(_text(left - 6, side - at + 4, f"{tick:g}", "end"))
    for n, (name, points) in enumerate(series):
        for probability, right, count in points:
            x, y = left + probability * (side - 10), side - right * (side - 10)
            radius = min(3 + count**0.5, 16)
            parts.append(
                f'<circle class="s{n}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}">'
                f"<title>{escape(name)}: {probability:.2f} reported, {right:.2f} right,"
                f" {count} incidents</title></circle>"
            )
        parts.append(f'<circle class="s{n}" cx="{left + side + 30}" cy="{24 + 24 * n}" r="6"/>')
        parts.append(_text(left + side + 44, 29 + 24 * n, name))
    parts.append(_text(left + side / 2, side + 38, "probability reported at opening", "middle"))
    return "".join([*parts, "</svg>"])


def dots(rows: Sequence[tuple[str, Sequence[float]]], unit: str) -> str:
    """One line of dots for each label, on a logarithmic scale from 0.1 to 10,000."""
    height = _ROW * len(rows) + 34
    span = _WIDTH - _LEFT - 30
    parts = [_svg(height)]

    def x_of(value: float) -> float:
        return _LEFT + span * (min(max(log10(max(value, 0.1)), -1.0), 4.0) + 1.0) / 5.0

    for power in range(-1, 5):
        x = x_of(10.0**power)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height - 30}"/>')
        parts.append(_text(x, height - 14, f"{10.0**power:g}", "middle"))
    for i, (label, values) in enumerate(rows):
        y = i * _ROW + 14
        parts.append(_text(_LEFT - 8, y + 4, label, "end"))
        parts += [
            f'<circle class="s0" cx="{x_of(v):.1f}" cy="{y}" r="4">'
            f"<title>{v:.1f} {unit}</title></circle>"
            for v in values
        ]
    parts.append(_text(_LEFT + span, height - 1, unit, "end"))
    return "".join([*parts, "</svg>"])


def matrix(rows: Sequence[tuple[str, Sequence[tuple[int, bool]]]], columns: Sequence[str]) -> str:
    """A table of counts; each comes with whether that guess is right. Darker is more."""
    head = "".join(f'<th scope="col">{escape(c.replace("_", " "))}</th>' for c in columns)
    body: list[str] = []
    for label, counts in rows:
        total = sum(count for count, _ in counts) or 1
        cells = "".join(_cell(count, right, total) for count, right in counts)
        body.append(f'<tr><th scope="row">{escape(label.replace("_", " "))}</th>{cells}</tr>')
    return (
        f'<div class="wide"><table class="matrix"><thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _cell(count: int, right: bool, total: int) -> str:
    if not count:
        return "<td></td>"
    kind = "good" if right else "bad"
    return f'<td class="{kind}" style="--part:{count / total:.2f}">{count}</td>'


def _svg(height: float) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {height:.0f}">'


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'

"""Water: low, nearly empty, empty, full again."""

from gateway.alerts.text.alert import Alert, short

_FULL = 0.85
"""Share of the capacity from which a refilled tank is called full."""


def low(alert: Alert) -> list[str]:
    """Low, how fast it falls, and when it will be empty."""
    trend = alert.figure("trend_lph")
    if trend is None or trend > -10:
        return [alert.text("Low: {tank}, {volume}.", volume=_volume(alert)), *_empties(alert)]
    rate = alert.text("falling by {rate}", rate=alert.language.about_rate(trend))
    title = alert.text("Low: {tank}, {volume}, {rate}.", volume=_volume(alert), rate=rate)
    return [title, *_empties(alert)]


def critical(alert: Alert) -> list[str]:
    """Nearly empty, and when it will be empty."""
    title = alert.text("Nearly empty: {tank}, {volume}.", volume=_volume(alert))
    return [title, *_empties(alert)]


def _volume(alert: Alert) -> str:
    return alert.language.about_litres(alert.figure("volume_l") or 0.0)


def _empties(alert: Alert) -> list[str]:
    lo, hi = alert.figure("empty_lo"), alert.figure("empty_hi")
    if lo is None or hi is None or hi <= alert.now:
        return []
    span = alert.language.span(max(lo, alert.now), hi, alert.now)
    return [alert.text("Empty {span}.", span=span)]


def empty(alert: Alert) -> list[str]:
    """Empty, and since when."""
    since = alert.figure("empty_since") or alert.change.at
    return [alert.text("Empty: {tank}, since {time}.", time=alert.when(since))]


def refilled(alert: Alert) -> list[str]:
    """Full again, with thanks to the person who went, and how long it was dry."""
    litres, row = alert.figure("volume_l") or 0.0, alert.registry.tank(alert.change.tank or "")
    lines = [alert.text("{tank} has water again, {volume}.", volume=_volume(alert))]
    if row is not None and litres >= _FULL * row.capacity_l:
        lines = [alert.text("{tank} is full again, {volume}.", volume=_volume(alert))]
    if alert.going is not None and alert.going.name:
        lines.append(alert.text("Thank you, {name}.", name=short(alert.going.name)))
    if dry_s := alert.figure("dry_s"):
        lines.append(alert.text("It was dry for {time}.", time=alert.language.lasting(dry_s)))
    return lines

"""Water: low, nearly empty, empty, full again."""

from gateway.alerts.language import mark
from gateway.alerts.text.alert import Alert, short

_FULL = 0.85
"""Of the capacity: from here on a refilled tank is called full."""


def low(alert: Alert) -> list[str]:
    """Low, how fast it falls, and when it will be empty."""
    falling, plain = mark("Low: {tank}, {volume}, {rate}."), mark("Low: {tank}, {volume}.")
    return [_with_volume(alert, falling, plain), *_empties(alert)]


def critical(alert: Alert) -> list[str]:
    """Nearly empty, and when it will be empty."""
    plain = mark("Nearly empty: {tank}, {volume}.")
    return [_with_volume(alert, plain, plain), *_empties(alert)]


def _with_volume(alert: Alert, falling: str, plain: str) -> str:
    language = alert.language
    volume = language.about_litres(alert.figure("volume_l") or 0.0)
    trend = alert.figure("trend_lph")
    if trend is not None and trend <= -10 and falling != plain:
        rate = language.text("falling by {rate}", rate=language.about_rate(trend))
        return language.text(falling, tank=alert.subject, volume=volume, rate=rate)
    return language.text(plain, tank=alert.subject, volume=volume)


def _empties(alert: Alert) -> list[str]:
    lo, hi = alert.figure("empty_lo"), alert.figure("empty_hi")
    if lo is None or hi is None or hi <= alert.now:
        return []
    span = alert.language.span(max(lo, alert.now), hi, alert.now)
    return [alert.language.text("Empty {span}.", span=span)]


def empty(alert: Alert) -> list[str]:
    """Empty, and since when."""
    since = alert.figure("empty_since") or alert.change.at
    return [
        alert.language.text("Empty: {tank}, since {time}.", tank=alert.subject,
                            time=alert.when(since))
    ]  # fmt: skip


def refilled(alert: Alert) -> list[str]:
    """Full again, with thanks to who went, and how long it was dry."""
    text = alert.language.text
    litres = alert.figure("volume_l") or 0.0
    row = alert.registry.tank(alert.change.tank or "")
    is_full = row is not None and litres >= _FULL * row.capacity_l
    full, some = mark("{tank} is full again, {volume}."), mark("{tank} has water again, {volume}.")
    volume = alert.language.about_litres(litres)
    parts = [text(full if is_full else some, tank=alert.subject, volume=volume)]
    if alert.going is not None and alert.going.name:
        parts.append(text("Thank you, {name}.", name=short(alert.going.name)))
    dry_s = alert.figure("dry_s")
    if dry_s:
        parts.append(text("It was dry for {time}.", time=alert.language.lasting(dry_s)))
    return parts

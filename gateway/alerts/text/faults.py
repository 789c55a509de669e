"""Nothing is heard of a tank, or nothing that can be believed."""

from gateway.alerts.text.alert import Alert, tanks_behind
from gateway.alerts.text.claim import link


def network_out(alert: Alert) -> list[str]:
    """One fault, however many tanks lie behind it."""
    language, time = alert.language, alert.when(alert.change.at)
    title = language.text("Network out at {site} since {time}.", site=alert.subject, time=time)
    number = int(alert.figure("tanks") or 0) or len(tanks_behind(alert))
    unknown = language.plural(
        "Its tank is unknown, not empty.", "Its {n} tanks are unknown, not empty.", number
    )
    fault = language.text("One fault; nothing to refill for it.")
    return [title, unknown, fault, *link(alert, "See")]


def silent(alert: Alert) -> list[str]:
    """A tank stopped answering; its level is unknown."""
    return [_silent_since(alert), alert.language.text("Its level is unknown, not empty.")]


def _silent_since(alert: Alert) -> str:
    since = alert.figure("last_word_at") or alert.change.at
    return alert.language.text(
        "Silent: {tank}, since {time}.", tank=alert.subject, time=alert.when(since)
    )


def battery(alert: Alert) -> list[str]:
    """A battery is low, or was, before the tank fell silent."""
    text = alert.language.text
    if alert.figure("last_word_at") is not None:
        chance = alert.language.chance(alert.change.probability)
        unknown = text("Its level is unknown, not empty.")
        return [_silent_since(alert), text("Its battery, {chance}.", chance=chance), unknown]
    title = text("Battery low: {tank}.", tank=alert.subject)
    return [title, text("It may stop answering soon. Its level is still right.")]


def sensor_fault(alert: Alert) -> list[str]:
    """The sensor says nothing believable."""
    text = alert.language.text
    title = text("Sensor fault: {tank}, since {time}.", tank=alert.subject,
                time=alert.when(alert.change.at))  # fmt: skip
    if alert.change.figures.get("fault") == "stuck":
        return [title, text("It repeats one figure. Do not trust its level.")]
    return [title, text("Its level is unknown, not empty.")]

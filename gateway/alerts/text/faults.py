"""A tank whose messages stopped, or whose readings cannot be trusted."""

from gateway.alerts.text.alert import Alert, link, tanks_behind


def network_out(alert: Alert) -> list[str]:
    """One fault, however many tanks are behind it."""
    number = int(alert.figure("tanks") or 0) or len(tanks_behind(alert))
    unknown = alert.language.plural(
        "Its tank is unknown, not empty.", "Its {n} tanks are unknown, not empty.", number
    )
    title = alert.text("Network out at {site} since {time}.", site=alert.subject)
    return [title, unknown, alert.text("One fault; nothing to refill for it."), *link(alert, "See")]


def silent(alert: Alert) -> list[str]:
    """A tank stopped answering; its level is unknown."""
    return [_silent_since(alert), alert.text("Its level is unknown, not empty.")]


def _silent_since(alert: Alert) -> str:
    since = alert.figure("last_word_at") or alert.change.at
    return alert.text("Silent: {tank}, since {time}.", time=alert.when(since))


def battery(alert: Alert) -> list[str]:
    """A battery is low, or was before the tank fell silent."""
    if alert.figure("last_word_at") is None:
        reason = alert.text("It may stop answering soon. Its level is still right.")
        return [alert.text("Battery low: {tank}."), reason]
    chance = alert.text(
        "Its battery, {chance}.", chance=alert.language.chance(alert.change.probability)
    )
    return [_silent_since(alert), chance, alert.text("Its level is unknown, not empty.")]


def sensor_fault(alert: Alert) -> list[str]:
    """The sensor measures nothing that can be true."""
    title = alert.text("Sensor fault: {tank}, since {time}.")
    if alert.change.figures.get("fault") == "stuck":
        return [title, alert.text("It repeats one figure. Do not trust its level.")]
    return [title, alert.text("Its level is unknown, not empty.")]

"""Something happened to the tank or the way to it. What and when, never who."""

from gateway.alerts.text.alert import Alert


def seized(alert: Alert) -> list[str]:
    """May have been taken: what was noticed, how likely, what it held."""
    title = alert.language.text("May have been taken: {tank}.", tank=alert.subject)
    return [title, *_moved(alert), *_chance(alert), *_held(alert)]


def _moved(alert: Alert) -> list[str]:
    time, is_silent = alert.when(alert.change.at), alert.figure("silent_since") is not None
    moved = (alert.figure("motion_s") or 0) > 0 or (alert.figure("tilt_deg") or 0) > 0
    if moved and is_silent:
        return [alert.language.text("It moved at {time}, then stopped answering.", time=time)]
    if moved:
        return [alert.language.text("It moved at {time}.", time=time)]
    if is_silent:
        return [alert.language.text("It stopped answering at {time}.", time=time)]
    return [alert.language.text("Since {time}.", time=time)]


def _chance(alert: Alert) -> list[str]:
    said = alert.language.chance(alert.change.probability)
    return [said[:1].upper() + said[1:] + "."]


def _held(alert: Alert) -> list[str]:
    litres = alert.figure("volume_l")
    if litres is None:
        return []
    return [alert.language.text("It held {volume}.", volume=alert.language.about_litres(litres))]


def drained(alert: Alert) -> list[str]:
    """May have been emptied: what was lost, how likely, what is left."""
    title = alert.language.text("May have been emptied: {tank}.", tank=alert.subject)
    return [title, *_lost(alert), *_chance(alert), *_left(alert)]


def slashed(alert: Alert) -> list[str]:
    """May have been cut: what was lost, how likely, what is left."""
    title = alert.language.text("May have been cut: {tank}.", tank=alert.subject)
    return [title, *_lost(alert), *_chance(alert), *_left(alert)]


def _lost(alert: Alert) -> list[str]:
    litres, time = alert.figure("lost_l"), alert.when(alert.change.at)
    if litres is None:
        return [alert.language.text("Since {time}.", time=time)]
    volume = alert.language.about_litres(litres)
    return [alert.language.text("It lost {volume} from {time}.", volume=volume, time=time)]


def _left(alert: Alert) -> list[str]:
    litres = alert.figure("left_l")
    if litres is None:
        return []
    return [
        alert.language.text("Left in it: {volume}.", volume=alert.language.about_litres(litres))
    ]


def lid_open(alert: Alert) -> list[str]:
    """The lid is open."""
    title = alert.language.text("Lid open: {tank}, since {time}.", tank=alert.subject,
                                time=alert.when(alert.change.at))  # fmt: skip
    return [title, alert.language.text("The water may not be safe to drink.")]


def moved_by_us(alert: Alert) -> list[str]:
    """Moved, most likely by ourselves."""
    title = alert.language.text("Moved: {tank}, at {time}.", tank=alert.subject,
                                time=alert.when(alert.change.at))  # fmt: skip
    return [title, alert.language.text("Most likely by one of us.")]


def access_blocked(alert: Alert) -> list[str]:
    """Refilling may be blocked."""
    title = alert.language.text("Access may be blocked: {tank}.", tank=alert.subject)
    return [title, alert.language.text("Since {time}.", time=alert.when(alert.change.at))]


def clone(alert: Alert) -> list[str]:
    """Two devices speak with one identity."""
    title = alert.language.text("Two devices speak as one: {tank}.", tank=alert.subject)
    return [title, alert.language.text("Until it is clear which is ours, trust neither.")]


def unknown(alert: Alert) -> list[str]:
    """Something happened; the cause is not known."""
    text = alert.language.text
    title = text("Somebody should look: {tank}.", tank=alert.subject)
    return [title, *_moved(alert), text("The cause is not known."), *_held(alert)]

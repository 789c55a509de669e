"""Something happened to the tank or the way to it. What and when, never who."""

from gateway.alerts.text.alert import Alert


def seized(alert: Alert) -> list[str]:
    """May have been taken: what was noticed, how likely, what it held."""
    title = alert.text("May have been taken: {tank}.")
    return [title, _moved(alert), _chance(alert), *_held(alert)]


def _moved(alert: Alert) -> str:
    is_silent = alert.figure("silent_since") is not None
    moved = (alert.figure("motion_s") or 0) > 0 or (alert.figure("tilt_deg") or 0) > 0
    if moved and is_silent:
        return alert.text("It moved at {time}, then stopped answering.")
    if moved:
        return alert.text("It moved at {time}.")
    if is_silent:
        return alert.text("It stopped answering at {time}.")
    return alert.text("Since {time}.")


def _chance(alert: Alert) -> str:
    chance = alert.language.chance(alert.change.probability)
    return chance[:1].upper() + chance[1:] + "."


def _held(alert: Alert) -> list[str]:
    litres = alert.figure("volume_l")
    if litres is None:
        return []
    return [alert.text("It held {volume}.", volume=alert.language.about_litres(litres))]


def drained(alert: Alert) -> list[str]:
    """May have been emptied: what was lost, how likely, what is left."""
    return [alert.text("May have been emptied: {tank}."), *_loss(alert)]


def slashed(alert: Alert) -> list[str]:
    """May have been cut: what was lost, how likely, what is left."""
    return [alert.text("May have been cut: {tank}."), *_loss(alert)]


def _loss(alert: Alert) -> list[str]:
    lost_l, left_l, about = (
        alert.figure("lost_l"),
        alert.figure("left_l"),
        alert.language.about_litres,
    )
    lines = [alert.text("Since {time}."), _chance(alert)]
    if lost_l is not None:
        lines[0] = alert.text("It lost {volume} from {time}.", volume=about(lost_l))
    if left_l is not None:
        lines.append(alert.text("Left in it: {volume}.", volume=about(left_l)))
    return lines


def lid_open(alert: Alert) -> list[str]:
    """The lid is open."""
    title = alert.text("Lid open: {tank}, since {time}.")
    return [title, alert.text("The water may not be safe to drink.")]


def moved_by_us(alert: Alert) -> list[str]:
    """Moved, most likely by ourselves."""
    return [alert.text("Moved: {tank}, at {time}."), alert.text("Most likely by one of us.")]


def access_blocked(alert: Alert) -> list[str]:
    """Refilling may be blocked."""
    return [alert.text("Access may be blocked: {tank}."), alert.text("Since {time}.")]


def clone(alert: Alert) -> list[str]:
    """Two devices use one identity."""
    title = alert.text("Two devices speak as one: {tank}.")
    return [title, alert.text("Until it is clear which is ours, trust neither.")]


def unknown(alert: Alert) -> list[str]:
    """Something happened; the cause is not known."""
    title = alert.text("Somebody should look: {tank}.")
    return [title, _moved(alert), alert.text("The cause is not known."), *_held(alert)]

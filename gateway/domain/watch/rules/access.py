"""Whether the way to a tank may be blocked: asked when a usual refill round is missed.

No sensor shows a way. A missed round is most often a late or busy driver, so the probability is
low and honest; it is a question to people, not a verdict.
"""

from math import log

from gateway.domain.outputs import Because
from gateway.domain.watch.memory import incidents
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, TankState
from gateway.domain.watch.tracks import rounds as usual_rounds
from gateway.domain.watch.tracks.cause import certain
from gateway.domain.watch.tracks.rounds import MissedRound, Rounds

FAMILY = "access"
_BLOCKED_PART = 0.01
"""Of all rounds, the part that finds the way blocked. Assumed: blocked ways are reported from
Calais, their rate is not."""

_LEAST, _LEAST_ALERT = 0.05, 0.1  # less is not worth a question, or an alert


def decide(context: WatchContext, tank: TankState, rounds: Rounds, timezone: str) -> None:
    """Ask once about the newest missed round of a tank that is low; close when it is refilled.

    People are alerted when the water is critical, and the way is likely enough to be blocked.
    """
    incident = context.open_incident(FAMILY, tank.tank)
    if incident is not None and rounds.noted_at > incident.at:
        incidents.close(context, incident, why="refilled")
    if "low" not in tank.level.latched:
        return
    device = context.source(tank)
    if device is None or not _is_certain(context, tank, device):
        return
    missed = usual_rounds.missed(rounds, timezone, context.now)
    if missed is None or missed.due <= rounds.asked:
        return
    probability = blocked_probability(missed)
    if probability < _LEAST:
        return
    rounds.asked = missed.due
    incidents.report(
        context, FAMILY, tank.tank, at=missed.due, kind="access_blocked", probability=probability,
        causes=certain(), because=(_because(context, missed, probability),), auth=device.auth,
        tank=tank.tank,
        alert="critical" in tank.level.latched and probability >= _LEAST_ALERT,
        figures={"volume_l": tank.level.volume_l, "due_at": missed.due},
    )  # fmt: skip


def blocked_probability(missed: MissedRound) -> float:
    """The probability that the way is blocked, given that a usual round was missed.

    The fewer rounds were missed before, the likelier: misses for other reasons are counted with
    one more among two more (Laplace's rule of succession).
    """
    others = (missed.missed + 1) / (missed.known + missed.missed + 2)
    return round(_BLOCKED_PART / (_BLOCKED_PART + others), 3)


def _is_certain(context: WatchContext, tank: TankState, device: DeviceState) -> bool:
    """Whether the tank's level is known now, and nothing else happens to the tank."""
    return (
        context.listening.is_judging
        and device.presence == "speaking"
        and not tank.health.faulty
        and tank.tilted is None
        and tank.episode is None
        and tank.flow.rise is None
    )


def _because(context: WatchContext, missed: MissedRound, probability: float) -> Because:
    weight = log(probability / (1 - probability)) - log(_BLOCKED_PART / (1 - _BLOCKED_PART))
    values = {"at": missed.due, "late_s": context.now - missed.due, "rounds": missed.known}
    return Because("round_missed", round(weight, 3), "inferred", values)

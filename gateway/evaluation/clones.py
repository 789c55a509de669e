"""A second node with the keys of the first: its flash was copied."""

from dataclasses import replace

from gateway.evaluation.scene import Scene, StoryTank


def twin(scene: Scene, place: StoryTank, at: float, until: float) -> None:
    """From ``at`` to ``until`` a copy speaks in an era of its own, from another tank."""
    random = scene.random
    node = replace(
        place.node, era="zzzzzzzz", boot=1, seq=0, booted_at=at, readings=[], events=[],
        uplink=None, fails=0, retry_at=0.0, recovery_at=None, urgent=False, battery=None,
        sensor=replace(place.node.sensor, faults=[]), device=place.node.device,
    )  # fmt: skip
    body = replace(place.body, litres=place.row.capacity_l * random.uniform(0.1, 0.9), streams=[])
    other = StoryTank(place.row, body, node)
    scene.at(at, lambda: scene.switch_on(other))

    def off() -> None:
        node.alive = False

    scene.at(until, off)

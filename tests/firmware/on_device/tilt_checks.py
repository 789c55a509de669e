"""A tank that is tilted, then upright again: both are reported once, within the alarms' budget."""

from tamper_checks import TILTED, Node


def test_a_tilt_is_reported_once_while_it_lasts_and_again_when_it_comes_back():
    node = Node()
    events = node.wake(600, TILTED)
    assert len(events) == 2 and '"k":"tilt","deg":64' in events[1]
    for _ in range(21):
        node.wake(30, TILTED)
    assert not node.state.recovery  # still, though tilted
    assert node.wake(600, TILTED) == [] and node.wake(600) == ['"k":"tilt","deg":0']
    assert node.wake(600) == []
    assert len(node.wake(600, TILTED)) == 2


def _tilted():
    """A node that reported its tilt and left recovery mode."""
    node = Node()
    node.wake(600, TILTED)
    while node.state.recovery:
        node.wake(30, TILTED)
    node.reports = 0
    return node


def test_a_tank_that_is_upright_again_is_reported_at_once_within_the_budget():
    node = _tilted()
    spent_uah, looked = node.state.spent_uah, node.state.looked
    assert node.wake(600) == ['"k":"tilt","deg":0'] and node.reports == 1
    assert node.state.spent_uah - spent_uah > 600 and node.state.looked > looked
    assert not node.state.recovery  # nobody moved it
    node = _tilted()
    node.state.spent_uah = 59_900
    assert node.wake(600) == ['"k":"tilt","deg":0'] and node.reports == 0


def test_motion_that_raises_it_again_is_reported_with_it():
    node = _tilted()
    events = node.wake(600, by_pin=True)
    assert len(events) == 2 and '"k":"motion","ms":0' in events[0]
    assert events[1] == '"k":"tilt","deg":0' and node.reports == 1


def test_in_recovery_mode_upright_again_is_reported():
    node = Node()
    node.wake(600, TILTED)
    assert node.state.recovery and node.wake(30, TILTED) == []
    assert node.wake(30) == ['"k":"tilt","deg":0'] and node.wake(30) == []


def test_a_moment_upright_while_it_is_tilted_is_not_reported():
    node = _tilted()
    chip = node.board.chip
    chip.read_mg = lambda: chip.up  # one sample, by a blow; the next second is tilted
    assert node.wake(600, TILTED) == [] and node.state.tilted

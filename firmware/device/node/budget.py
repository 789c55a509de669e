"""How much a node may spend on alarms that nobody ordered, kept in State over reboots.

False alarms may cost 5 % of a month: 127 mAh of 2550. A bucket of 60 mAh that refills by 2.16 mAh a
day can spend 60 + 30 x 2.16 = 125 mAh in 30 days, whatever goes on. A ten-minute recovery
costs 13 mAh in 20 reports (DESIGN.md, *The node*): 650 uAh each. A new one begins with 33 mAh or
more left over the reserve; one under way may use the bucket up: half an hour of 30 s reports, then
over two hours of 5 min ones.

A look at the accelerometer after motion (2 to 8 s awake) counts apart, 60 at once and one in 15
minutes: with none left motion does not wake the board, while tilt and lid still do.
"""

REPORT_UAH = 650
_BUCKET_UAH = 60_000
_FOR_ENTRY_UAH = 33_000
_LOOK = 22  # units of 40 s
_LOOKS = 60 * _LOOK
_UNIT_S = 40  # refills 1 uAh, and a part of a look


def refill(state, up):
    """Let the time since the last refill count. ``up`` is in seconds, and restarts at a boot."""
    units = max(0, up - state.budget_up) // _UNIT_S
    state.budget_up = min(state.budget_up + units * _UNIT_S, up)
    state.spent_uah = max(0, state.spent_uah - units)
    state.looked = max(0, state.looked - units)


def may_recover(state):
    """Whether recovery mode may begin by itself."""
    return _BUCKET_UAH - state.spent_uah >= _FOR_ENTRY_UAH


def pay_report(state):
    """Pay for one report; False, and nothing paid, when it cannot be afforded."""
    if state.spent_uah + REPORT_UAH > _BUCKET_UAH:
        return False
    state.spent_uah += REPORT_UAH
    return True


def may_look(state):
    """Whether motion may still wake the board."""
    return state.looked + _LOOK <= _LOOKS


def pay_look(state):
    """Pay for one look at the accelerometer."""
    state.looked = min(state.looked + _LOOK, _LOOKS)

"""Charge that alarms may use unless they were ordered; kept in State over reboots.

False alarms may cost 5 % of a month's charge: 127 mAh of 2550. A bucket of 60 mAh that refills by
2.16 mAh a day allows at most 60 + 30 x 2.16 = 125 mAh in 30 days. A ten-minute recovery costs
13 mAh in 20 reports: 650 uAh each. A new recovery needs 33 mAh in the
bucket; a running one may empty it: half an hour of 30 s reports, then over two hours of 5 min ones.

Checks of the accelerometer after motion (2 to 8 s awake) have a bucket of their own, 60 at once
and one in 15 minutes: when it is empty, motion does not wake the board; tilt and lid still do.
"""

from micropython import const

REPORT_UAH = 650
_BUCKET_UAH = const(60_000)
_FOR_ENTRY_UAH = const(33_000)
_LOOK = const(22)  # units of 40 s
_LOOKS = const(60 * _LOOK)
_UNIT_S = const(40)  # refills 1 uAh, and a part of a look


def _refilled(state, up):
    """(uAh spent, looks spent) at ``up`` seconds, which restart at a boot."""
    units = max(0, up - state.budget_up) // _UNIT_S
    return max(0, state.spent_uah - units), max(0, state.looked - units)


def _pay(state, up, uah, look):
    spent_uah, looked = _refilled(state, up)
    # Only payments are written to flash: a quiet wake changes nothing.
    kept_s = max(0, up - state.budget_up) % _UNIT_S if spent_uah or looked else 0
    state.budget_up = up - kept_s
    state.spent_uah, state.looked = spent_uah + uah, min(looked + look, _LOOKS)


def may_recover(state, up):
    """Whether recovery mode may begin by itself; ``up`` is now."""
    return _BUCKET_UAH - _refilled(state, up)[0] >= _FOR_ENTRY_UAH


def pay_report(state, up):
    """Pay for one report. Returns False, without paying, when the bucket has too little."""
    if _refilled(state, up)[0] + REPORT_UAH > _BUCKET_UAH:
        return False
    _pay(state, up, REPORT_UAH, 0)
    return True


def may_look(state, up, n=1):
    """Whether motion may still wake the board; for another ``n``, an ``n``-th of the budget."""
    return _refilled(state, up)[1] + _LOOK <= _LOOKS // n


def pay_look(state, up):
    """Pay for one check of the accelerometer."""
    _pay(state, up, 0, _LOOK)


def carry_over(state, up):
    """At a boot, which restarts ``up``: refill by the ``up`` of the boot before."""
    state.spent_uah, state.looked = _refilled(state, up)
    state.budget_up = 0

"""How long a node holds out on its own flash, with all that real wakes write."""

import os
import random

from field import Field, Measurement

WHOLE = int(os.getenv("NORIA_CUTS") or 0) >= 1000
SHARE = 1 if WHOLE else 4  # of the flash, and so of the month
MONTH_DAYS = 30 / SHARE
DAYS = 120 if WHOLE else MONTH_DAYS + 0.5  # how long it is watched
SECTORS_256K, SECTORS_512K = 64 // SHARE, 128 // SHARE
ENDURANCE = 100_000  # erases that a sector of the chip's NOR flash endures


def _hold(sectors, reached, report_s, events=0.0):
    """A node with a gateway for one day, which is then away. Days until a reading is dropped."""
    random.seed(41)
    field = Field(sectors, report_s=report_s)
    Measurement.share_of_events = events
    while field.board.now < 1795212000 + 86400:
        field.wake()
    away_from = field.board.now
    written = field.board.flash.written
    field.broker.reached, field.broker.gateway_up = reached, False
    while not _dropped(field) and field.board.now < away_from + DAYS * 86400:
        field.wake()
    Measurement.share_of_events = 0.05
    held_days = (field.board.now - away_from) / 86400
    field.written_a_day = (field.board.flash.written - written) / held_days
    return field, held_days


def _dropped(field):
    payloads, field.broker.waiting = field.broker.waiting, []
    return field.queue.state.gap_n or any(b'"k":"gap"' in payload for payload in payloads)


def _check_wear(name, field, held_days, sectors):
    erases = field.written_a_day * 365 / 4096 / sectors
    print("# %s, %d KB: %.1f days held, %d bytes a day, %.0f erases of a sector a year" % (
        name, sectors * 4, held_days, field.written_a_day, erases,
    ))  # fmt: skip
    assert erases < ENDURANCE / 100


def test_a_month_without_a_broker_fits_256_kb():
    field, held_days = _hold(SECTORS_256K, False, 900)
    _check_wear("no broker", field, held_days, SECTORS_256K)
    assert held_days >= MONTH_DAYS


def test_a_month_without_a_gateway_while_the_broker_is_up_fits_256_kb():
    for report_s in (900, 3600):
        field, held_days = _hold(SECTORS_256K, True, report_s)
        _check_wear("no gateway, reports of %d s" % report_s, field, held_days, SECTORS_256K)
        assert held_days >= MONTH_DAYS


def test_a_month_without_a_gateway_with_an_event_every_four_hours_fits_512_kb():
    field, held_days = _hold(SECTORS_512K, True, 3600, 1 / 24)
    _check_wear("no gateway, six events a day", field, held_days, SECTORS_512K)
    assert held_days >= MONTH_DAYS


def test_a_year_of_wakes_hardly_wears_the_flash():
    random.seed(42)
    field = Field(SECTORS_256K)
    start = field.board.now
    while field.board.now < start + 7 * 86400:
        field.wake()
    field.written_a_day = field.board.flash.written / 7
    _check_wear("all well, reports of 900 s", field, 0, SECTORS_256K)

"""Under power cuts every stored reading still arrives, once."""

import os
import random

from field import Field, Measurement

CUTS = int(os.getenv("NORIA_CUTS") or 300)
FAULTS = {"cut": 0.01, "dead": 0.02, "slow": 0.3, "ack_lost": 0.1}


def _weather(field):
    """Now and then broker or gateway go away, come back, or forget."""
    broker, dice = field.broker, random.random()
    if dice < 0.03:
        broker.reached = not broker.reached
    elif dice < 0.06:
        if broker.gateway_up:
            broker.gateway_up = False
        else:
            broker.returned()
    elif dice < 0.07:
        broker.killed()


def _cut():
    """After how many bytes: among the records, in a sector's erase, or in what opens it."""
    low, high = random.choice(((0, 90), (0, 700), (0, 4096), (4096, 4700)))
    return random.randint(low, high)


def _suffer(field, cuts):
    """Wakes with faults of every kind until the power failed so often."""
    field.broker.chances = dict(FAULTS)
    wanted = field.cuts + cuts
    while field.cuts < wanted:
        _weather(field)
        field.wake(_cut() if random.random() < 0.5 else None)


def _whole(field, kept):
    """Nothing kept is missing, nothing came under two messages, no number was given twice."""
    arrived = field.arrived()
    missing = [value for value in kept if value not in arrived]
    assert not missing, (missing[:5], len(missing), len(kept))
    assert all(count == 1 for count in arrived.values())
    assert field.gateway.forks == 0 and field.gateway.refused == 0


def _run(seed, sectors, wild):
    random.seed(seed)
    field = Field(sectors, wild)
    for _ in range(max(1, CUTS // 100)):
        _suffer(field, 100)
        assert field.settle(), "stuck"
        _whole(field, Measurement.kept)
    assert field.gaps() == 0
    assert len(field.gateway.lines) == 1, "an era was drawn for nothing"
    print("# %d cuts, %d wakes, %d readings, %d sent" % (
        field.cuts, field.wakes, len(Measurement.kept), field.broker.published,
    ))  # fmt: skip


def test_cuts_at_any_byte_lose_nothing():
    _run(11, 64, False)


def test_cuts_that_tear_whole_pages_and_erases_lose_nothing():
    _run(12, 64, True)


def test_a_place_is_zeroed_once_it_is_signed_for_whatever_fails():
    random.seed(19)
    field = Field(16, True)
    for place in range(40):
        field.broker.gateway_up = False
        field.wake()
        text = '"k":"fix","lat":50%05d,"lon":18%04d,"acc":7' % (place * 101, place * 11)
        field.queue.add_event(field.queue.state.last_up, text)
        field.wake()
        held = b"".join(field.board.flash.image())
        assert b'"lat":50%05d' % (place * 101) in held
        field.broker.returned()
        for _ in range(random.randint(0, 3)):
            field.wake(random.randint(0, 120))
        assert field.settle(), "stuck"
        assert b'"lat"' not in b"".join(field.board.flash.image())
    _whole(field, Measurement.kept)
    assert sum(event["k"] == "fix" for event in field.gateway.events()) == 40
    assert len(field.gateway.lines) == 1 and field.gaps() == 0


def test_an_erased_ring_starts_over_and_loses_only_what_it_held():
    random.seed(13)
    field = Field(16, True)
    for eras in range(1, 6):
        _suffer(field, 20)
        arrived = field.arrived()
        field.board.flash.blank()
        kept = len(Measurement.kept)
        _suffer(field, 20)
        assert field.settle(), "stuck"
        _whole(field, list(arrived) + Measurement.kept[kept:])
        assert len(field.gateway.lines) in (eras, eras + 1)


def test_a_clock_and_memory_that_lost_their_power_change_nothing():
    """Counters live on the ring alone: every boot is cold here, at a clock of the year 2000."""
    random.seed(14)
    field = Field(16)
    for _ in range(200):
        field.wake()
        field.board.boots("power")
    assert field.settle()
    _whole(field, Measurement.kept)
    assert len(field.gateway.lines) == 1


def test_a_ring_put_back_to_an_earlier_day_goes_on_in_a_new_era():
    """Numbers are then given twice: the gateway's ack proves it, and what follows arrives."""
    random.seed(15)
    field = Field(16)
    for _ in range(30):
        field.wake()
    earlier = field.board.flash.image()
    for _ in range(30):
        field.wake()
    field.board.flash.restore(earlier)
    for _ in range(30):
        field.wake()
    assert field.settle(), "stuck"
    arrived = field.arrived()
    assert all(value in arrived for value in Measurement.kept)
    assert len(field.gateway.lines) == 2 and field.gateway.forks <= 1


def test_what_the_smallest_ring_drops_is_declared_to_the_reading():
    random.seed(16)
    field = Field(4, report_s=3600)
    for _ in range(3):
        field.broker.reached = False
        for _ in range(700):
            field.wake()
        assert field.settle(), "stuck"
        arrived = field.arrived()
        missing = [value for value in Measurement.kept if value not in arrived]
        assert len(missing) > 200 and field.gaps() == len(missing), (field.gaps(), len(missing))
    assert field.gateway.forks == 0 and len(field.gateway.lines) == 1


def test_what_is_dropped_amid_power_cuts_is_declared_to_the_reading():
    random.seed(17)
    field, torn = Field(4, True), 0
    for _ in range(max(2, CUTS // 100)):
        field.broker.reached = False
        cuts, wakes = field.cuts, field.wakes
        while field.cuts < cuts + 50 or field.wakes < wakes + 500:
            Measurement.under_way = None
            field.wake(_cut() if random.random() < 0.4 else None)
            torn += Measurement.under_way is not None
        assert field.settle(), "stuck"
        arrived = field.arrived()
        missing = sum(1 for value in Measurement.kept if value not in arrived)
        # A reading whose write was cut may lie there whole: dropped, it is declared too.
        assert missing <= field.gaps() <= missing + torn, (missing, field.gaps(), torn)
    assert field.gateway.forks == 0 and len(field.gateway.lines) == 1


def test_a_tiny_ring_in_any_weather_never_sticks_and_declares_what_never_came():
    random.seed(18)
    field = Field(4, True)
    for _ in range(max(1, CUTS // 100)):
        _suffer(field, 100)
        assert field.settle(), "stuck"
    arrived = field.arrived()
    missing = [value for value in Measurement.kept if value not in arrived]
    assert len(missing) <= field.gaps()
    assert field.gateway.forks == 0

"""A week without a gateway, a week without a broker: every reading arrives, sent about once."""

import random

from field import Field, Measurement

WEEK_S = 7 * 86400


def _week(reached, gateway_up, slow=0.0, **settings):
    """A node whose gateway or broker goes away for a week, and what it sent from then on."""
    random.seed(51)
    field = Field(64, report_s=settings.pop("report_s", 900), **settings)
    for _ in range(30):
        field.wake()
    sent, away_from = field.broker.published, field.board.now
    field.before = len(field.gateway.journal)
    field.broker.reached, field.broker.gateway_up = reached, gateway_up
    attempts = 0
    while field.board.now < away_from + WEEK_S:
        fails = field.queue.state.fails
        field.wake()
        attempts += field.queue.state.fails != fails
    field.broker.reached = True
    field.broker.returned()
    if slow:
        field.broker.chances = {"slow": slow}
        for _ in range(10):
            field.wake()
    assert field.settle()
    field.attempts = attempts
    return field, field.broker.published - sent


def _judge(name, field, sent):
    arrived = field.arrived()
    assert all(arrived.get(value) == 1 for value in Measurement.kept)
    backlog = len(field.gateway.journal) - field.before
    print("# %s: %d messages of backlog, %d sent (%.2f x)" % (name, backlog, sent, sent / backlog))
    assert sent <= 1.2 * backlog
    assert field.gaps() == 0 and field.gateway.forks == 0


def test_a_week_without_a_gateway_is_sent_once_and_arrives():
    for report_s in (900, 3600):
        field, sent = _week(True, False, report_s=report_s)
        _judge("gateway away, reports of %d s" % report_s, field, sent)


def test_a_gateway_that_comes_back_slowly_gets_no_second_copies():
    field, sent = _week(True, False, 0.5)
    _judge("gateway back, a part at a time", field, sent)


def test_a_week_without_a_broker_is_sent_once_and_arrives():
    Measurement.share_of_events = 0
    field, sent = _week(False, True)
    Measurement.share_of_events = 0.05
    _judge("broker away", field, sent)
    print("# %d attempts in that week" % field.attempts)
    assert field.attempts <= 60

"""``noria demo``: a day at twelve tanks in minutes."""

import signal
import sys
import threading
from types import FrameType

import click

from server.demo import place, run


@click.command()
@click.option(
    "--speed",
    type=click.FloatRange(1, 600),
    default=120.0,
    show_default=True,
    help="How many seconds pass in one.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8080,
    show_default=True,
    help="Where the page is; the next free one when it is busy.",
)
@click.option(
    "--interpreter",
    type=click.Choice(["auto", "micropython", "cpython"]),
    default="auto",
    show_default=True,
    help="What runs the nodes' firmware.",
)
@click.option(
    "--nodes",
    type=click.IntRange(len(place.SPOTS), place.MOST),
    default=len(place.SPOTS),
    show_default=True,
    help="How many nodes, of mixed kinds.",
)
@click.option(
    "--days",
    type=click.IntRange(0, 28),
    default=28,
    show_default=True,
    help="How many days of history the twelve tanks begin with.",
)
@click.option("--keep", is_flag=True, help="Keep the throw-away folder afterwards.")
def demo(speed: float, port: int, interpreter: str, nodes: int, days: int, keep: bool) -> None:
    """Watch a day at twelve tanks in minutes, in a throw-away folder. Ctrl-C ends it."""
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    with run.running(
        speed=speed,
        port=port,
        interpreter=interpreter,
        count=nodes,
        keep=keep,
        past_s=days * 86400.0,
        report=click.echo,
    ) as running:
        click.echo(
            f"\n  Open {running.link}\n\n"
            f"  One second is {running.settings.clock_speed / 60:g} min. Ctrl-C ends it.\n"
        )
        while not stop.wait(0.25):
            running.story.turn()
            broken = running.ended_early()
            if broken is not None:
                click.echo(f"{broken} ended by itself.", err=True)
                sys.exit(1)

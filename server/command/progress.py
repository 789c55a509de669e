"""Tells a person who waits how far it is, once that takes longer than two seconds."""

import time

import click

QUIET_S = 2.0


class Progress:
    """Sentences on standard error, at most one in two seconds."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def tell(self, sentence: str) -> None:
        """Say it, if nothing was said for a while."""
        if time.monotonic() - self._told > QUIET_S:
            self.say(sentence)

    def say(self, sentence: str) -> None:
        """Say it now."""
        self._told = time.monotonic()
        click.echo(f"noria: {sentence}", err=True)

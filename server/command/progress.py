"""Reports progress to a person who has waited for more than two seconds."""

import time

import click

QUIET_S = 2.0


class Progress:
    """Prints sentences to standard error, at most one in two seconds."""

    def __init__(self) -> None:
        self._printed = time.monotonic()

    def report(self, sentence: str) -> None:
        """Print the sentence, unless another was printed in the last two seconds."""
        if time.monotonic() - self._printed > QUIET_S:
            self._printed = time.monotonic()
            click.echo(f"noria: {sentence}", err=True)

"""How many examples hypothesis draws for each property of ``unit/``."""

import os

from hypothesis import settings

EXAMPLES = int(os.environ.get("NORIA_PROPERTIES", "25"))
"""A fault in a rule shows in the first few; CI and ``make mutants`` search further."""


def examples(times: int) -> settings:
    """``times`` as many as for other properties: where few of them reach the rare branch."""
    return settings(max_examples=times * EXAMPLES)

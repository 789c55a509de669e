"""The fitted weights as the module that ships them: ``gateway/domain/watch/fitted.py``.

It is a module and not a file that is read: the domain does no I/O, a replay needs the numbers of
its own commit, and the type checker reads them, too. The same weights give the same bytes.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from gateway.domain.watch import fitted
from gateway.domain.watch.tracks.weights import Weights

PATH = Path(fitted.__file__)
_HEAD = '''"""What evidence weighs, fitted to simulated stories by ``noria evaluate --fit``.

Do not edit: the next fit overwrites it. Assumptions are in ``gateway/evaluation/assumed.py``.
Checksum of the weights: %s.
"""

from gateway.domain.watch.tracks.weights import Weights

FITTED = Weights(
'''
_LONGEST = 100


def text(weights: Weights) -> str:
    """The module's text, formatted as the rest of the code.

    Its checksum shows a number that was edited by hand.
    """
    body = "\n".join(_lines(weights)) + "\n)  # fmt: skip\n"
    return _HEAD % sha256(body.encode()).hexdigest()[:16] + body


def _lines(weights: Weights) -> Iterator[str]:
    yield "    origin=("
    yield from (f"        {_quoted(part)}" for part in _wrapped(weights.origin))
    yield "    ),"
    yield f"    rates={_row(weights.rates)},"
    yield "    prior={"
    yield from (f"        {_quoted(k)}: {v!r}," for k, v in weights.prior.items())
    yield "    },"
    yield "    ratios={"
    for level, sides in sorted(weights.ratios.items()):
        line = f"        {_quoted(level)}: {_row(sides)},"
        if len(line) <= _LONGEST:
            yield line
        else:
            yield f"        {_quoted(level)}: {{"
            yield from (f"            {_quoted(side)}: {v!r}," for side, v in sides.items())
            yield "        },"
    yield "    },"
    yield "    counts={"
    yield from (f"        {_quoted(k)}: {v!r}," for k, v in sorted(weights.counts.items()))
    yield "    },"
    yield "    calibration={"
    for name, steps in sorted(weights.calibration.items()):
        yield f"        {_quoted(name)}: ("
        yield from (f"            ({at!r}, {probability!r})," for at, probability in steps)
        yield "        ),"
    yield "    },"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _row(values: Mapping[str, float]) -> str:
    return "{" + ", ".join(f"{_quoted(k)}: {v!r}" for k, v in values.items()) + "}"


def _wrapped(text: str) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        if line and len(line) + len(word) > _LONGEST - 20:
            yield line
            line = ""
        line += f"{word} "
    yield line.rstrip()

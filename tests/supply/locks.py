"""What the locks name: every package that any installation of Noria brings."""

import re
from pathlib import Path

from tests.structure import tree

LOCKS = tuple(sorted(tree.ROOT.glob("requirements*.lock")))


def normal(name: str) -> str:
    """A package's name as registries compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: Path) -> dict[str, str]:
    """The version of each package in a lock, by its normal name."""
    found = re.findall(r"^([\w.-]+)==(\S+)", lock.read_text("utf-8"), re.MULTILINE)
    return {normal(name): version for name, version in found}


def locked() -> dict[str, set[str]]:
    """The versions of each package in all locks, by its normal name."""
    found: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, version in pins(lock).items():
            found.setdefault(name, set()).add(version)
    return found

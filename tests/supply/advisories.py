"""Known vulnerabilities of what the locks name, from a copy of PyPA's advisory database.

``python -m tests.supply.advisories FOLDER`` renews the copy from a clone of the database
(github.com/pypa/advisory-database, CC BY 4.0). Only facts are copied: ids and versions.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from packaging.version import InvalidVersion, Version

from tests.supply.locks import locked, normal

FILE = Path(__file__).parent / "advisories.json"
ATTRIBUTION = "Python Packaging Advisory Database, CC BY 4.0: ids and versions only"

ACCEPTED = {
    "PYSEC-2023-234": "esptool: AES-ECB in espsecure, which Noria never runs; its maker closed the "
    "report: it is a step of flash encryption, as the chip does it (espressif/esptool#926)",
}
"""Advisories that do not concern us, with the reason."""


class Copy(NamedTuple):
    """``asked``: the packages that were looked up. ``known``: their advisories."""

    dated: str
    asked: frozenset[str]
    known: tuple[Mapping[str, Any], ...]


def read() -> Copy:
    """The copy in the tree."""
    held = json.loads(FILE.read_text("utf-8"))
    return Copy(held["dated"], frozenset(held["asked"]), tuple(held["known"]))


def affecting(copy: Copy, package: str, version: str) -> list[str]:
    """The ids of the advisories of that version, by the rules of the OSV format.

    Source: ossf.github.io/osv-schema, *Evaluation*.
    """
    return [
        one["id"] for one in copy.known
        if one["package"] == package and _is_affected(one, Version(version))
    ]  # fmt: skip


def _is_affected(advisory: Mapping[str, Any], version: Version) -> bool:
    if version in {v for v in map(_version, advisory["versions"]) if v is not None}:
        return True
    return any(_is_within(events, version) for events in advisory["ranges"])


def _is_within(events: list[dict[str, str]], version: Version) -> bool:
    """Whether the last event up to this version opens the range."""
    inside = False
    for event in events:
        ((kind, at),) = event.items()
        bound = Version(at)
        if kind == "introduced" and version >= bound:
            inside = True
        elif (kind == "fixed" and version >= bound) or (
            kind == "last_affected" and version > bound
        ):
            inside = False
    return inside


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def renew(database: Path) -> None:
    """Copy the advisories of every locked package from a clone of the database."""
    names = sorted(locked())
    date = subprocess.run(
        ["git", "-C", database, "log", "-1", "--format=%cs"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    known = [one for name in names for one in _of(database / "vulns" / name, name)]
    held = {"source": ATTRIBUTION, "dated": date, "asked": names, "known": known}
    FILE.write_text(json.dumps(held, indent=1) + "\n", "utf-8")


def _of(folder: Path, package: str) -> Iterator[dict[str, Any]]:
    import yaml

    for path in sorted(folder.glob("*.yaml")):
        advisory = yaml.safe_load(path.read_text("utf-8"))
        if advisory.get("withdrawn"):
            continue
        for affected in advisory["affected"]:
            if normal(affected["package"]["name"]) == package:
                ranges = [r["events"] for r in affected.get("ranges", []) if r["type"] != "GIT"]
                yield {
                    "id": advisory["id"],
                    "aliases": advisory.get("aliases", []),
                    "package": package,
                    "ranges": ranges,
                    # Where there are ranges, the versions only spell them out.
                    "versions": [] if ranges else affected.get("versions", []),
                }


if __name__ == "__main__":
    renew(Path(sys.argv[1]))

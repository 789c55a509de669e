"""The licence of each locked package: ``python -m tests.supply.licences`` adds missing rows.

A row says where the licence was read, for a package whose metadata name none a person's word.
"""

import csv
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from tests.supply.locks import locked, normal

FILE = Path(__file__).parent / "licences.csv"
METADATA = "metadata"

ALLOWED = frozenset({
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CNRI-Python", "GPL-2.0-or-later",
    "GPL-3.0-or-later", "ISC", "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only",
    "LGPL-3.0-or-later", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "Unlicense", "Zlib",
})  # fmt: skip
"""SPDX names of licences whose works may be part of a work under AGPL-3.0-or-later: the FSF's list
of GPL-compatible licences (gnu.org/licenses/license-list.html), with section 13 of the GPL-3.0.
GPL-2.0-only, EPL-2.0 and CC-BY-NC are not among them."""

# "BSD License" is not here: it does not say which, so a person reads the file.
_CLASSIFIED = {
    "Apache Software License": "Apache-2.0",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_WRITTEN = {
    "Apache 2.0": "Apache-2.0", "GPLv2+": "GPL-2.0-or-later", "ISC License": "ISC",
    "MIT License": "MIT",
}  # fmt: skip


class Licence(NamedTuple):
    """An SPDX expression, and where it was read."""

    expression: str
    read_in: str


def rows() -> dict[str, Licence]:
    """The list, by the normal name of the package."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return {r["package"]: Licence(r["licence"], r["read in"]) for r in csv.DictReader(file)}


def allowed(expression: str) -> bool:
    """Whether one of the choices (OR) has nothing but allowed licences (AND).

    False for an expression with parentheses: a person writes it without.
    """
    return any(
        all(part in ALLOWED for part in choice.split(" AND "))
        for choice in expression.split(" OR ")
    )


def declared(package: metadata.PackageMetadata) -> str | None:
    """The SPDX expression of a package's metadata; None where they name no licence clearly."""
    for expression in package.get_all("License-Expression") or []:
        return str(expression)
    written = next(
        (str(w).partition("\n")[0] for w in package.get_all("License") or []), ""
    ).strip()
    written = _WRITTEN.get(written, written)
    if written in ALLOWED:
        return written
    classified = {
        _CLASSIFIED.get(classifier.rpartition(" :: ")[2])
        for classifier in package.get_all("Classifier") or []
        if classifier.startswith("License :: OSI Approved :: ")
    }
    return classified.pop() if len(classified) == 1 else None


def installed(folders: list[str] | None = None) -> Mapping[str, metadata.PackageMetadata]:
    """The metadata of what is installed here, by normal name."""
    found = metadata.distributions() if folders is None else metadata.distributions(path=folders)
    return {normal(d.metadata["Name"]): d.metadata for d in found}


def add_missing() -> list[str]:
    """Write a row for each locked package that is installed; returns those without a licence."""
    known, here, unknown = (rows() if FILE.exists() else {}), installed(), list[str]()
    for name in locked():
        expression = declared(here[name]) if name in here else None
        if name not in known and expression is not None:
            known[name] = Licence(expression, METADATA)
        elif name not in known:
            unknown.append(name)
    with FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["package", "licence", "read in"])
        writer.writerows((name, *known[name]) for name in sorted(known) if name in locked())
    return unknown


if __name__ == "__main__":
    print(*(f"{name}: add its row by hand" for name in add_missing()), sep="\n")

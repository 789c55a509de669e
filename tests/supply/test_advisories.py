"""No locked version has a known vulnerability, and the check says what it could not ask."""

import json

import pytest

from tests.supply import advisories, audit
from tests.supply.advisories import ACCEPTED, affecting
from tests.supply.locks import locked


def test_no_locked_version_has_a_known_vulnerability() -> None:
    assert audit.of_the_copy() == []


def test_every_locked_package_was_looked_up() -> None:
    """A new one: python -m tests.supply.advisories FOLDER, with a clone of the database."""
    assert set(locked()) - advisories.read().asked == set()


def test_what_is_accepted_still_concerns_a_locked_version() -> None:
    copy = advisories.read()
    found = {a for n, of in locked().items() for v in of for a in affecting(copy, n, v)}
    assert found == set(ACCEPTED)


@pytest.mark.parametrize(("version", "found"), [
    ("2.2.9", False), ("2.3.0", True), ("2.30.0", True), ("2.31.0", False), ("2.31.1", False),
])  # fmt: skip
def test_an_advisory_begins_and_ends_with_its_versions(version: str, found: bool) -> None:
    """PYSEC-2023-74, requests: Proxy-Authorization leaks; from 2.3.0, fixed in 2.31.0."""
    assert ("PYSEC-2023-74" in affecting(advisories.read(), "requests", version)) is found


def pip_audit(*dependencies: object) -> str:
    return json.dumps({"dependencies": dependencies, "fixes": []})


def test_a_package_that_the_service_does_not_answer_for_counts_as_not_asked() -> None:
    fine = {"name": "click", "version": "8.5.1", "vulns": []}
    skipped = {"name": "babel", "skip_reason": "not found: babel (2.18.0)"}
    assert audit.answer(pip_audit(fine, skipped), "") == ([], 1, "not found: babel (2.18.0)")


def test_a_service_that_is_not_reached_is_said() -> None:
    found = audit.answer("", "Traceback ...\nConnectionError: no address\n")
    assert found == ([], 0, "ConnectionError: no address")


def test_a_vulnerability_is_found_unless_it_is_accepted() -> None:
    def holed(name: str, known: str) -> dict[str, object]:
        of_it = {"id": known, "aliases": [], "fix_versions": ["9.0"], "description": ""}
        return {"name": name, "version": "1.0", "vulns": [of_it]}

    found = audit.answer(pip_audit(holed("click", "PYSEC-1"), holed("esptool", *ACCEPTED)), "")
    assert found == (["click 1.0: PYSEC-1, fixed in 9.0"], 2, "")

"""docs/ETSI-EN-303-645.md has the standard's thirteen headings, and what it names exists."""

import re

import pytest

from tests.structure import tree
from tests.structure.test_security_page import functions

PAGE = (tree.ROOT / "docs" / "ETSI-EN-303-645.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## 5\.(\d+) [^\n]+\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S))

HEADINGS = (
    "No universal default passwords",
    "Implement a means to manage reports of vulnerabilities",
    "Keep software updated",
    "Securely store sensitive security parameters",
    "Communicate securely",
    "Minimize exposed attack surfaces",
    "Ensure software integrity",
    "Ensure that personal data is secure",
    "Make systems resilient to outages",
    "Examine system telemetry data",
    "Make it easy for users to delete user data",
    "Make installation and maintenance of devices easy",
    "Validate input data",
)
"""Of clause 5, in its order."""


def test_the_page_has_the_thirteen_headings_in_their_order() -> None:
    wanted = [f"5.{n} {heading}" for n, heading in enumerate(HEADINGS, 1)]
    assert re.findall(r"^## (.+)$", PAGE, re.M) == wanted


@pytest.mark.parametrize("number", map(str, range(1, 14)))
def test_a_heading_has_evidence_that_exists_or_a_plain_not_yet(number: str) -> None:
    section = SECTIONS[number]
    lines = re.findall(r"^- (.+)$", section, re.M)
    assert lines or "**Not yet:** " in section
    for line in lines:
        found = re.fullmatch(r"`([\w/.-]+)(?:::(test_\w+))?`", line)
        assert found, f"a path, or a path and a test: {line}"
        path, test = found.groups()
        assert (tree.ROOT / path).is_file(), path
        if test:
            assert test in functions(path.removeprefix("tests/")), line


def test_no_evidence_is_given_twice() -> None:
    named = re.findall(r"^- `(\S+::\S+)`$", PAGE, re.M)
    assert len(named) > 60
    assert len(named) == len(set(named))

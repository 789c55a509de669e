"""Every locked package has a licence under which it may be part of a work under the AGPL."""

import pytest

from tests.supply import licences
from tests.supply.licences import allowed, declared, installed
from tests.supply.locks import locked


def test_every_locked_package_is_listed_and_no_other() -> None:
    """A new one: python -m tests.supply.licences, with the locks installed."""
    assert set(licences.rows()) == set(locked())


def test_every_listed_licence_may_be_part_of_it() -> None:
    refused = {n: row for n, row in licences.rows().items() if not allowed(row.expression)}
    assert refused == {}


def test_the_list_says_what_the_packages_say() -> None:
    here = installed()
    told = {n: declared(here[n]) for n in licences.rows() if n in here}
    assert len(told) > 70
    for name, expression in told.items():
        row = licences.rows()[name]
        if expression is None:
            assert row.read_in != licences.METADATA, f"{name}: say in which file it was read"
        else:
            assert row.expression == expression, name


@pytest.mark.parametrize(("expression", "may"), [
    ("MIT", True),
    ("EPL-2.0 OR BSD-3-Clause", True),
    ("Apache-2.0 AND MIT", True),
    ("(MIT OR EPL-2.0) AND PSF-2.0", False),  # not read: a person looks
    ("EPL-2.0", False),
    ("GPL-2.0-only", False),
    ("MIT AND CC-BY-NC-4.0", False),
    ("Proprietary", False),
    ("", False),
])  # fmt: skip
def test_a_licence_that_is_unknown_or_in_conflict_is_refused(expression: str, may: bool) -> None:
    assert allowed(expression) is may

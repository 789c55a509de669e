"""Every promise in SECURITY.md names the tests that fail without it, and they exist.

A line that is added or reworded fails here until its tests are named.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.structure.security_promises import DEFENDED, SAID

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text("utf-8")

PLAIN = ("Reporting", "What is not built yet")
"""Sections about what people do, and about what is missing: they promise nothing of the code,
but for the sentences in SAID."""


def section(name: str) -> str:
    found = re.search(rf"^## {re.escape(name)}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    assert found, name
    return found[1]


def test_every_clause_of_the_table_has_its_tests() -> None:
    table = re.findall(r"^\| .+$", section("Who we defend against"), re.M)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table]
    assert rows[0][0] == "somebody who"
    assert [row[0] for row in rows[1:]] == list(DEFENDED)
    for who, can, cannot in rows[1:]:
        bounds = [clause for clause in DEFENDED[who] if clause not in cannot]
        assert [c for c in DEFENDED[who] if c in cannot] == cannot.split("; "), who
        assert [bound for bound in bounds if bound not in can] == [], who


def test_every_section_is_covered() -> None:
    names = re.findall(r"^## (.+)$", PAGE, re.M)
    assert set(names) == {
        "Who we defend against", "What is never kept", "Running it", *PLAIN,
    }  # fmt: skip
    flat = " ".join(PAGE.split())
    assert [said for said in SAID if said not in flat] == []
    for name in ("What is never kept", "Running it"):
        text = " ".join(section(name).split())
        left = [s for s in re.split(r"(?<=\.) ", text) if not any(_of(s, said) for said in SAID)]
        assert left == ADVICE[name]


def _of(sentence: str, said: str) -> bool:
    return said in sentence or sentence in said


ADVICE = {
    "What is never kept": [],
    "Running it": [
        "Put the server behind HTTPS.",
        "Keep secrets in files (`*_file` settings), mode 0600.",
        "Use Mosquitto, not the trial broker.",
        "Whoever connects reads the names in the certificate: choose names that reveal no place.",
        "A test holds every line of this page (`tests/structure/test_security_page.py`).",
    ],
}
"""Sentences that ask something of people."""


@cache
def functions(path: str) -> frozenset[str]:
    """The names of the functions in a file of tests/."""
    tree = ast.parse((ROOT / "tests" / path).read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(n.name for n in ast.walk(tree) if isinstance(n, kinds))


_PROMISES = {
    **{f"{who}: {clause}": tests for who, of in DEFENDED.items() for clause, tests in of.items()},
    **SAID,
}


@pytest.mark.parametrize("promise", _PROMISES)
def test_the_tests_of_a_promise_exist(promise: str) -> None:
    assert _PROMISES[promise]
    for one in _PROMISES[promise]:
        path, _, name = one.partition("::")
        assert name in functions(path), one


def test_no_table_has_a_place_for_what_is_never_kept() -> None:
    """Columns that would hold a visitor's address, a phone number, an e-mail or a face."""
    import sqlalchemy as sa

    from gateway.database.tables import metadata
    from server.accounts import tables

    assert tables.session is not None
    columns = {
        f"{table.name}.{column.name}" for table in metadata.tables.values()
        for column in sa.inspect(table).columns
    }  # fmt: skip
    assert len(columns) > 80
    banned = re.compile(
        r"(^|_)(ip|addr|address|phone|mobile|email|mail|photo|resident|officer)($|_)"
    )
    assert [c for c in columns if banned.search(c.split(".")[1])] == []

"""Plain words in comments, docstrings and documents, and lines that fit a reader's window."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.structure import tree

DIALECT = re.compile(
    r"\b(told|tells?|said|says?|heard|hears?|speaks?|spoken|stands?|whoever|anew|lets? go|lies|"
    r"reckon\w*)\b",
    re.IGNORECASE,
)
"""Words for which a technical text has a more exact one: report, receive, publish, is, compute."""

COMMENT = re.compile(r"(?:^\s*|  )(#.*)$", re.MULTILINE)
"""As the formatter leaves them: alone on a line, or after two spaces. A tokenizer is exact and
takes ten times as long."""

MOST_PER_THOUSAND = 3.0
"""Other projects' comments have up to 2. Over the whole tree, so that a rare right use is free."""

LONGEST_LINE = 160

CONTRACT = Path("gateway/WIRE.md")
"""Its words and the rows of its tables are the contract with devices in the field."""

SETTINGS = Path("gateway/SETTINGS.md")
"""``noria settings --markdown`` writes it, one table row for each setting."""


def prose(path: Path) -> Iterator[str]:
    """Lines that a person wrote for a person: Markdown, comments and docstrings."""
    text = tree.text(path)
    if path.suffix == ".md":
        yield from text.splitlines()
    elif path.suffix == ".py":
        yield from COMMENT.findall(text)
        for node in ast.walk(tree.parsed(path)):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                yield from str(node.value.value).splitlines()


def test_prose_uses_few_words_of_dialect() -> None:
    words = 0
    found: dict[str, int] = {}
    for path in tree.files(".md", ".py"):
        if path != CONTRACT:
            for line in prose(path):
                words += len(line.split())
                if hits := len(DIALECT.findall(line)):
                    found[str(path)] = found.get(str(path), 0) + hits
    worst = sorted(found.items(), key=lambda item: -item[1])[:20]
    assert 1000 * sum(found.values()) / words <= MOST_PER_THOUSAND, worst


def test_lines_of_documents_fit_a_window() -> None:
    long = [
        f"{path}:{number}"
        for path in tree.files(".md")
        if path not in (CONTRACT, SETTINGS)
        for number, line in enumerate(tree.text(path).splitlines(), 1)
        if len(line) > LONGEST_LINE
    ]
    assert long == []


def test_comments_docstrings_and_documents_are_prose_and_other_strings_are_not() -> None:
    here = "\n".join(prose(Path(__file__).relative_to(tree.ROOT)))
    assert "Lines that a person wrote" in here
    assert "no such line" not in here

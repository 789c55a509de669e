"""Templates have loops and conditions only; texts and figures come from typed views."""

from functools import cache
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

TEMPLATES = Path(__file__).parents[2] / "server" / "templates"
LONGEST = 160
FUNCTIONS = {"_", "asset", "form_token", "caller"}
"""A fixed text in the reader's language, a static file's address, a form's token, a block."""
ARITHMETIC = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod)
FORBIDDEN = (nodes.Filter, nodes.CondExpr, nodes.Slice, nodes.Concat, *ARITHMETIC)
"""Formatting, choices between words and arithmetic belong to ``views/`` and ``words/``."""

each = pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda p: p.name)


@cache
def _tree(path: Path) -> nodes.Template:
    return jinja2.Environment().parse(path.read_text())  # noqa: S701 - parsed, never rendered


@each
def test_no_line_is_longer_than_160_characters(path: Path) -> None:
    long = [n for n, text in enumerate(path.read_text().splitlines(), 1) if len(text) > LONGEST]
    assert long == []


@each
def test_a_template_calls_only_macros_and_the_few_functions(path: Path) -> None:
    tree = _tree(path)
    macros = {macro.name for macro in tree.find_all(nodes.Macro)}
    modules = {one.target for one in tree.find_all(nodes.Import)}
    for one in tree.find_all(nodes.FromImport):
        macros |= {name if isinstance(name, str) else name[1] for name in one.names}
    inherited = {"acts", "rows"} if path.name in ("rows.html", "overview.html") else set[str]()
    inherited |= {"acts"} if path.name == "languages.html" else set()
    for call in tree.find_all(nodes.Call):
        node = call.node
        if isinstance(node, nodes.Getattr):
            assert isinstance(node.node, nodes.Name)
            assert node.node.name in modules | inherited
        else:
            assert isinstance(node, nodes.Name)
            assert node.name in FUNCTIONS | macros | {"icon", "glyph"}


@each
def test_a_template_decides_no_word_and_computes_no_figure(path: Path) -> None:
    assert [(n.lineno, type(n).__name__) for n in _tree(path).find_all(FORBIDDEN)] == []


@each
def test_a_translated_text_is_constant(path: Path) -> None:
    for call in _tree(path).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "_":
            values = [*call.args, *(pair.value for pair in call.kwargs)]
            assert all(isinstance(value, nodes.Const) for value in values), call.lineno

"""Every message of the pages has French, and the catalogue has no other."""

import re
from pathlib import Path
from typing import cast

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

SERVER = Path(__file__).parents[2] / "server"
KEYWORDS = {"text": None, "_": None, "rich": None, "mark": None, "plural": (1, 2)}
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
OPTIONS = {"templates/**.html": {"trimmed": "true", "silent": "false"}}
Message = str | tuple[str, ...]


@pytest.fixture(scope="module")
def messages() -> set[Message]:
    """Every message of code and templates; commands and the demo are English only."""
    found = extract_from_dir(str(SERVER), METHODS, OPTIONS, KEYWORDS)
    own = (row for row in found if not row[0].startswith(("command", "demo")))
    return {cast(Message, row[2]) for row in own}


@pytest.fixture(scope="module")
def french() -> Catalog:
    with (SERVER / "locale" / "fr" / "server.po").open("rb") as file:
        return read_po(file, locale="fr")


def test_french_has_every_message_and_no_old_one(messages: set[Message], french: Catalog):
    assert len(messages) > 200
    assert {cast(Message, m.id) for m in french if m.id} == messages
    assert [m.id for m in french if m.id and not m.string] == []


def test_french_keeps_every_placeholder(french: Catalog):
    for message in french:
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        for text in strings:
            assert text is not None
            assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", ids[-1])), ids


def test_words_that_would_overstate_are_not_used(messages: set[Message]):
    texts = " ".join(m if isinstance(m, str) else " ".join(m) for m in messages).lower()
    for word in ("stolen", "theft", "alert!", "just now"):
        assert word not in texts

"""Each rule of ``tests.typography`` on both sides: what it lets pass, and what it finds.

A no-break space is written ``~`` here, a narrow one ``^``.
"""

import pytest

from tests.typography import faults, faults_of_page, texts


def spaced(text: str) -> str:
    return text.replace("~", "\u00a0").replace("^", "\u202f")


@pytest.mark.parametrize(
    ("language", "right", "wrong"),
    [
        ("en", "480~L", "480 L"),
        ("en", "48~%", "48%"),
        ("fr", "48~%", "48^%"),
        ("en", "12,500~L", "12500~L"),
        ("en", "1000~L", "10000~L"),
        ("en", "7~h", "07~h"),
        ("fr", "14~h~04", "04~h"),
        ("en", "3.98~V", "3.9812~V"),
        ("en", "none so far", "None so far"),
        ("en", "the sensor’s echo", "the sensor's echo"),
        ("en", "Wait …", "Wait ..."),
        ("en", "Canal 1", "{tank}"),
        ("en", "Canal 2: low", "Canal 2~: low"),
        ("en", "3.98~V", "3,98~V"),
        ("en", "2~h 5~min", "14~h~32"),
        ("en", "14:32", "«~Low~»"),
        ("fr", "fini^; encore", "fini; encore"),
        ("fr", "fini^; encore", "fini~; encore"),
        ("fr", "Canal 2~: basse", "Canal 2 : basse"),
        ("fr", "Canal 2^: basse", "Canal 2: basse"),
        ("fr", "4,06~V", "4.06~V"),
        ("fr", "14~h~32~min~07~s", "14:32:07"),
        ("fr", "14~h~32", "14:32"),
        ("fr", "1~250~L", "1,250~L"),
        ("fr", "«~Basse~»", "« Basse »"),
        ("fr", "«~Basse~»", "“Basse”"),
    ],
)
def test_each_rule_passes_what_is_right_and_finds_what_is_wrong(
    language: str, right: str, wrong: str
) -> None:
    assert faults(spaced(right), language) == []
    assert faults(spaced(wrong), language) != []


def test_a_page_is_read_as_people_read_it() -> None:
    html = (
        "<title>Canal~1</title><p>a<strong>b</strong>: c</p><script>x = 1.5</script>"
        '<a aria-label="4.06~V" href="/x?y=1">d</a><code>1.5</code><svg><path d="M1.5"/></svg>'
    )
    assert texts(html) == ["Canal~1", "4.06~V", "Canal~1", "ab: c", "d"]
    found = faults_of_page(spaced(html), "fr")
    assert len(found) == 2
    assert "decimal point" in found[1] or "colon" in found[1]

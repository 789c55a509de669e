"""Every code that a node can send has words on the pages, in both languages.

The codes are read out of the firmware's sources. A place that makes an event ``fault`` and is not
known here fails the test, so that its codes get words.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.devices.faults import OTHER, PARTS, DeviceFault
from server.words import faults, refusals
from server.words.language import PageLanguage

DEVICE = Path(__file__).parents[2] / "firmware/device"
NODE = DEVICE / "node"
LITERAL = re.compile(r'"k":"fault","s":"([^"]+)"')
NAMED = "A field's name, or a class of exception"


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def _text(node: ast.expr) -> list[str]:
    """The texts that an expression may be: a constant, or either branch of a condition."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return [*_text(node.body), *_text(node.orelse)]
    if ast.unparse(node) == "faults.OVER":
        return ["ok"]
    return []


def _constant(path: Path, name: str) -> str | tuple[str, ...]:
    """A constant of a module, also within ``const(…)``."""
    for node in _tree(path).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            value = node.value
            return ast.literal_eval(value.args[0] if isinstance(value, ast.Call) else value)
    raise LookupError(f"{path} has no {name}")


def _driver_codes() -> set[str]:
    """The code of each SensorError that a driver raises."""
    found = set[str]()
    for path in (DEVICE / "drivers").glob("*.py"):
        for name, call in _calls(_tree(path)):
            if re.fullmatch(r"(self\._error|\w+Error)", name) and len(call.args) == 2:
                found.update(_text(call.args[0]))
    return found


def _line_faults() -> set[tuple[str, str]]:
    """Those that policy/wake_pins.py returns; the lid's line is never *stuck*."""
    path = NODE / "policy/wake_pins.py"
    names, states = (str(_constant(path, name)).split() for name in ("_NAMES", "_STATES"))
    pairs = {(part, state) for part in names for state in states} - {("lid", "stuck")}
    text = path.read_text("utf-8")
    return pairs | set(re.findall(r'append\(\("(\w+)", "(\w+)"\)\)', text))


def _called() -> set[tuple[str, str]]:
    """Those of ``faults.event(part, code)`` and of literal events, by part; "" for other codes."""
    found = set[tuple[str, str]]()
    for path in NODE.rglob("*.py"):
        for name, call in _calls(_tree(path)):
            if name == "faults.event" and len(call.args) == 2:
                parts = _text(call.args[0]) or ["?"]
                found |= {(p, c) for p in parts for c in (_text(call.args[1]) or [""])}
        for part in LITERAL.findall(path.read_text("utf-8")):
            found.add((part, ""))
    return found


PLACES = {
    ("sensor", ""), ("motion", "missing"), ("motion", "ok"), ("battery", "low"), ("battery", "ok"),
    ("recovery", ""), ("sig", ""), ("main", ""), ("config", ""), ("%s", ""),
}  # fmt: skip
"""What ``_called`` finds: the codes of ``sensor`` are CODES; of ``recovery`` those given to
``_end``; ``sig`` is *lost*; ``main`` and ``config`` are named; ``%s`` is a part of mishaps.py, and
faults.py's own, whose calls are here."""


def _sensor_codes() -> set[str]:
    return {code for code in _constant(NODE / "measure/faults.py", "CODES") if code}


def _recovery_codes() -> set[str]:
    tree = _tree(NODE / "measure/tamper.py")
    return {_text(call.args[0])[0] for name, call in _calls(tree) if name == "self._end"}


def _mishap_parts() -> list[str]:
    return str(_constant(NODE / "storage/mishaps.py", "_PARTS")).split()


def _every_fault() -> list[tuple[str, str]]:
    found = {("sensor", code) for code in _sensor_codes()} | _line_faults()
    found |= {("recovery", code) for code in _recovery_codes()} | {("sig", "lost")}
    found |= {(part, code) for part, code in _called() if code}
    found |= {(part, NAMED) for part in ("main", "config", *_mishap_parts())}
    return sorted(pair for pair in found if pair[1] != "ok")


def test_no_other_place_of_the_firmware_makes_a_fault() -> None:
    # tamper.py hands on what wake_pins.py returned: faults.event(*given).
    assert _called() == PLACES
    text = "".join(path.read_text("utf-8") for path in NODE.rglob("*.py"))
    assert text.count("faults.event(*given)") == 1
    assert re.findall(r'"s":"sig","c":"(\w+)"', text) == ["lost"]


def test_every_code_of_a_driver_is_one_that_the_node_sends_by_name() -> None:
    codes = _driver_codes()
    assert {"missing", "garbage", "wire", "timing", "stuck"} <= codes
    assert codes <= _sensor_codes()


def test_every_part_of_the_node_is_known_to_the_gateway() -> None:
    assert {part for part, _ in _every_fault()} == set(PARTS)


@pytest.mark.parametrize("code", ["en", "fr"])
def test_every_fault_has_a_sentence_of_its_own(code: str) -> None:
    language = PageLanguage(code, "Europe/Paris")
    unknown = faults.sentence(language, _fault(OTHER, "turbine hot"))
    assert "turbine hot" in unknown
    pairs = _every_fault()
    assert len(pairs) >= 25
    sentences = {pair: faults.sentence(language, _fault(*pair)) for pair in pairs}
    assert len(set(sentences.values())) == len(pairs)
    opening = unknown.split("(")[0]
    assert [pair for pair, text in sentences.items() if text.startswith(opening)] == []


def _fault(part: str, code: str) -> DeviceFault:
    return DeviceFault("k7f3q5", part, code, 3, 0.0, "a", 1, 1, 0)


def _refusals() -> set[str]:
    """The codes of a ``conf`` that is not *ok*: settings, orders, and whatever ends an update."""
    found = set[str]()
    exchange = [NODE / "exchange/orders.py", NODE / "exchange/trust.py"]
    for path in [*exchange, *(NODE / "update").glob("*.py")]:
        tree = _tree(path)
        for name, call in _calls(tree):
            if re.search(r"(ReleaseError|_spoilt|_refuse|add_conf)$", name):
                found.update(code for arg in call.args for code in _text(arg))
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                target = ast.unparse(node.targets[0])
                if target.endswith(".code"):
                    last = node.value.values[-1] if isinstance(node.value, ast.BoolOp) else None
                    found.update(_text(last or node.value))
                if target == "_SETTINGS" and isinstance(node.value, ast.Dict):
                    found.update(text for key in node.value.keys if key for text in _text(key))
    return found - {""}


def test_every_reason_of_a_refusal_has_words() -> None:
    codes = _refusals() | {"update"}  # exchange/uplink.py, until the release runs
    assert {"interval_s", "do", "down", "manifest", "update_hash", "update_back"} <= codes
    assert codes == set(refusals.REFUSALS)
    for name in ("en", "fr"):
        language = PageLanguage(name, "Europe/Paris")
        said = {code: refusals.refusal(language, code) for code in codes}
        assert len(set(said.values())) == len(codes)
        assert refusals.refusal(language, "new_one") == "new_one"

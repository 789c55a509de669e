"""Executes commands, JSON objects, on a fleet: ``{"do": "seize", "device": "k7f3q5"}``.

Fields beside ``do`` and ``device`` are keyword arguments of the method that ``do`` names.
"""

from typing import Any

from firmware.virtual.host.fleet import Fleet, FleetError

_WATER = frozenset(("refill", "draw", "set_draw", "set_level", "drain", "slash", "repair"))
_HANDS = frozenset(
    ("seize", "put_back", "knock", "drum", "lean", "wind", "carry", "open_lid", "close_lid")
)
_PARTS = frozenset(("wet_face", "unplug", "plug", "set_battery"))
_BOARD = frozenset(("power_on", "power_off", "press_reset", "erase_ring", "lose_nvs"))
_FLEET = frozenset(("network_out", "network_back"))
WORDS = sorted(_WATER | _HANDS | _PARTS | _BOARD | _FLEET | {"cut_flash", "state", "stop"})
"""All values of ``do``."""


def do(fleet: Fleet, command: dict[str, Any]) -> object:
    """Execute one command and return its value. Raises FleetError for unknown names."""
    arguments = dict(command)
    word = arguments.pop("do", None)
    arguments.pop("id", None)
    try:
        if word == "state":
            return fleet.state()
        if word in _FLEET:
            return getattr(fleet, word)(**arguments)
        if word not in WORDS or word == "stop":
            raise FleetError(f"do {word!r}: one of {', '.join(WORDS)}")
        return _on_board(fleet, word, arguments)
    except TypeError as error:
        raise FleetError(f"{word}: {error}") from error


def _on_board(fleet: Fleet, word: str, arguments: dict[str, Any]) -> object:
    device = arguments.pop("device", None)
    board = fleet.boards.get(device)
    if board is None:
        raise FleetError(f"device {device!r} is not in the fleet: {', '.join(fleet.boards)}")
    if word == "cut_flash":  # the power fails within the next boot's flash writes
        board.cut_after = int(arguments["after_bytes"])
        return None
    return getattr(board if word in _BOARD else board.world, word)(**arguments)

"""A board whose small memories, or whose ring, are wiped in the middle of its work."""

from pathlib import Path
from typing import Any

from tests.firmware.board_at_work import DEVICE, KEY, board
from tests.firmware.signing_gateway import SigningGateway
from tests.parts import require
from tests.parts.mosquitto_service import Mosquitto


def _sequences(gateway: SigningGateway, era: str) -> list[tuple[int, int]]:
    return sorted((boot, seq) for stored_era, boot, seq in gateway.stored if stored_era == era)


def _eras(gateway: SigningGateway) -> list[Any]:
    return list(dict.fromkeys(message["era"] for message in gateway.messages))


def test_what_a_board_loses_beside_its_ring_costs_nothing_and_its_ring_a_new_era(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    require("micropython")
    with (
        SigningGateway(mosquitto.port, DEVICE, KEY) as gateway,
        board(tmp_path, mosquitto.port) as work,
    ):
        gateway.clock = work.fleet.clock.now
        gateway.until(lambda: len(gateway.messages) >= 2)
        work.do("lose_nvs")  # its clock and RTC memory go with the cell
        gateway.until(lambda: max(m["boot"] for m in gateway.messages) == 2)
        first = _eras(gateway)
        assert len(first) == 1
        work.do("erase_ring")
        gateway.until(lambda: len(_eras(gateway)) == 2)
        gateway.until(lambda: len(_sequences(gateway, _eras(gateway)[1])) >= 2)
        newer = next(m for m in gateway.messages if m["era"] == _eras(gateway)[1])
    boots = _sequences(gateway, first[0])
    assert boots == [
        (boot, 1 + i) for boot in (1, 2) for i in range(sum(b == boot for b, _ in boots))
    ]
    assert (newer["boot"], newer["prev"], newer["old"]) == (1, "", [1, 1])
    assert _sequences(gateway, newer["era"])[:2] == [(1, 1), (1, 2)]

"""The ring's partition is NOR flash: bits fall, sectors rise, and power can fail in between."""

from tests.firmware.virtual.bench import Bench

_OPEN = (
    "import esp32, machine\n"
    "ring = esp32.Partition.find(esp32.Partition.TYPE_DATA, label='ring')[0]\n"
    "def show(block, count, offset=0):\n"
    "    held = bytearray(count)\n    ring.readblocks(block, held, offset)\n"
    "    print(bytes(held).hex())\n"
)
_SLEEP = "machine.deepsleep(60000)\n"


def test_the_ring_is_64_blank_sectors(bench: Bench) -> None:
    script = "print(ring.ioctl(4, 0), ring.ioctl(5, 0), ring.info()[4])\nshow(63, 4, 4092)\n"
    assert bench.play(_OPEN + script + _SLEEP) == ["64 4096 ring", "ffffffff"]


def test_writing_with_an_offset_only_clears_bits(bench: Bench) -> None:
    script = "ring.writeblocks(1, b'\\xf0\\x0f', 8)\nring.writeblocks(1, b'\\x3c\\xff', 8)\n"
    assert bench.play(_OPEN + script + "show(1, 3, 8)\n" + _SLEEP) == ["300fff"]


def test_writing_whole_blocks_and_the_erase_order_set_them(bench: Bench) -> None:
    script = (
        "ring.writeblocks(2, b'\\x00' * 16, 0)\nring.ioctl(6, 2)\nshow(2, 2)\n"
        "ring.writeblocks(2, b'\\x00' * 4096)\nring.writeblocks(2, b'\\xab' * 4096)\nshow(2, 2)\n"
    )
    assert bench.play(_OPEN + script + _SLEEP) == ["ffff", "abab"]


def test_flash_outlives_the_power(bench: Bench) -> None:
    bench.play(_OPEN + "ring.writeblocks(0, b'kept', 0)\n" + _SLEEP)
    assert bench.play(_OPEN + "show(0, 4)\n" + _SLEEP) == [b"kept".hex()]


def test_power_that_fails_while_writing_tears_the_byte_under_way(bench: Bench) -> None:
    bench.cut_after = 3
    script = (
        "if machine.RTC().memory() == b'' and machine.reset_cause() == 1:\n"
        "    show(0, 6)\n    ring.writeblocks(0, b'\\x00' * 6, 0)\n    print('unreached')\n"
    )
    lines = bench.play(_OPEN + script, until=1)
    assert lines == ["ffffffffffff"]
    assert bench.names()[:2] == ["wake", "torn"]
    bench.cut_after = None
    assert bench.play(_OPEN + "show(0, 6)\n" + _SLEEP) == ["00000055ffff"]


def test_power_that_fails_while_erasing_leaves_the_rest_of_the_sector(bench: Bench) -> None:
    bench.play(_OPEN + "ring.writeblocks(0, b'\\x00' * 4096)\n" + _SLEEP)
    bench.cut_after = 100
    bench.play(_OPEN + "ring.ioctl(6, 0)\nprint('unreached')\n")
    bench.cut_after = None
    assert bench.play(_OPEN + "show(0, 2, 99)\n" + _SLEEP) == ["ff00"]


def test_nvs_keeps_only_what_was_committed(bench: Bench) -> None:
    bench.play(
        "import esp32, machine\nnvs = esp32.NVS('noria')\nnvs.set_i32('boot', 7)\n"
        "nvs.set_blob('era', b'abc')\nnvs.commit()\nnvs.set_i32('boot', 8)\n" + _SLEEP
    )
    lines = bench.play(
        "import esp32, machine\nnvs = esp32.NVS('noria')\nheld = bytearray(8)\n"
        "print(nvs.get_i32('boot'), nvs.get_blob('era', held), bytes(held[:3]))\n"
        "try:\n    nvs.get_i32('none')\nexcept OSError as error:\n    print(error.args[0])\n"
        + _SLEEP
    )
    assert lines == ["7 3 b'abc'", "-4354"]

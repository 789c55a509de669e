"""A release laid out in flash that runs it in place, with the power failing at any byte."""

import hashlib
import os
import random

import vfs
from flash import PowerCut, Powered
from node.update import manifest
from node.update.manifest import ReleaseError
from node.update.rom_stage import RomStage

CUTS = int(os.getenv("NORIA_CUTS") or 200)
SECTORS = 8
PART = 2048
SIG = "s" * 86


class Rom(Powered):
    """Two slots of NOR flash as in_place.Rom offers them; ``cut`` as in flash.py's, always wild."""

    SECTOR, PAGE = 4096, 256

    def __init__(self):
        size = self.SECTOR * SECTORS
        self.cells = [bytearray(random.getrandbits(8) for _ in range(size)) for _ in range(2)]

    def view(self, slot):
        return memoryview(self.cells[slot])

    def program(self, slot, at, data):
        cells, whole = self.cells[slot], self._lasts(len(data))
        for index in range(whole):
            cells[at + index] &= data[index]
        if whole < len(data):
            page = (at + whole) // self.PAGE * self.PAGE + self.PAGE  # programmed at once
            for index in range(whole, min(len(data), page - at)):
                cells[at + index] &= data[index] | random.getrandbits(8)
            raise PowerCut

    def erase(self, slot, sector):
        cells, start = self.cells[slot], sector * self.SECTOR
        if self._lasts(self.SECTOR) < self.SECTOR:
            for at in range(start, start + self.SECTOR):
                cells[at] |= random.getrandbits(8) & random.getrandbits(8)
            raise PowerCut
        cells[start : start + self.SECTOR] = b"\xff" * self.SECTOR


class Release:
    """A stream of ``files``, and the fields of its order."""

    def __init__(self, version, files):
        self.files = files
        lines = ["noria-release-1", "version %d" % version, "floor 1", "fw 0.%d" % version]
        lines.append("board any")
        for path in sorted(files):
            digest = "".join("%02x" % byte for byte in hashlib.sha256(files[path]).digest())
            lines.append("file %s %d %s" % (path, len(files[path]), digest))
        text = ("\n".join(lines) + "\n").encode()
        self.manifest_size = len(text)
        self.stream = text + b"".join(files[path] for path in sorted(files))
        self.sig = ("%d" % version) + SIG[1:]
        self.version = version

    def stage(self, rom):
        """The slot, as a boot finds it."""

        def verify(lines):
            found = manifest.Manifest(lines())
            if found.version != self.version:
                raise ReleaseError("update_version")
            return found

        size = len(self.stream), self.manifest_size
        return RomStage(rom, 1, self.sig, size[0], size[1], verify)

    def bring(self, rom):
        """Everything that is still to come, and the end."""
        stage = self.stage(rom)
        while not stage.complete:
            stage.write(self.stream[stage.position : stage.position // PART * PART + PART])
            stage.settle()
        stage.finish()


def _made(version, seed):
    random.seed(seed)
    names = "node/wake.mpy", "node/x.mpy", "lib/a/deep.mpy", "board/__init__.mpy", "top.mpy"
    return Release(
        version,
        {
            name: bytes(random.getrandbits(8) for _ in range(random.randint(1, 3000)))
            + b"\xff" * random.randint(0, 700)  # what looks like erased flash
            for name in names
        },
    )


def _held(rom, release):
    """Whether the slot holds just that release, read as the interpreter reads it."""
    fs = vfs.VfsRom(rom.view(1))
    vfs.mount(fs, "/held")
    try:
        with open("/held/manifest", "rb") as file:
            if file.read() != release.stream[: release.manifest_size]:
                return False
        for path, content in release.files.items():
            with open("/held/" + path, "rb") as file:
                if file.read() != content:
                    return False
        return True
    finally:
        vfs.umount("/held")


def _mountable(rom):
    try:
        vfs.VfsRom(rom.view(1))
    except OSError:
        return False
    return True


def test_a_release_is_mounted_as_it_was_sent_over_any_leftovers():
    rom, release = Rom(), _made(3, 1)
    assert not _mountable(rom)
    release.bring(rom)
    assert _held(rom, release)
    newer = _made(4, 2)
    newer.bring(rom)
    assert _held(rom, newer)


def test_after_any_power_cut_what_can_be_mounted_is_one_whole_release():
    releases = [_made(version, version) for version in (3, 4)]
    rom, turn = Rom(), 0
    for number in range(CUTS):
        release = releases[turn]
        rom.cut = random.randint(1, 60_000) if number % 3 else random.randint(1, 600)
        try:
            release.bring(rom)
            assert _held(rom, release)
            turn = 1 - turn
        except PowerCut:
            if _mountable(rom):
                assert any(_held(rom, one) for one in releases)
        rom.cut = None
    releases[turn].bring(rom)
    assert _held(rom, releases[turn])


def test_what_was_changed_on_its_way_is_removed_and_can_come_again():
    rom, release = Rom(), _made(5, 5)
    at = release.manifest_size + 10
    stream = release.stream
    release.stream = stream[:at] + bytes((stream[at] ^ 1,)) + stream[at + 1 :]
    try:
        release.bring(rom)
        raise AssertionError("it was taken")
    except ReleaseError as error:
        assert error.args[0] == "update_hash"
    assert not _mountable(rom)
    release.stream = stream
    release.bring(rom)
    assert _held(rom, release)


def test_a_manifest_that_is_not_believed_leaves_a_blank_slot():
    rom, release = Rom(), _made(6, 6)
    release.version = 7
    try:
        release.bring(rom)
        raise AssertionError("it was taken")
    except ReleaseError as error:
        assert error.args[0] == "update_version"
    assert bytes(rom.view(1)).strip(b"\xff") == b""


def test_a_release_larger_than_its_slot_is_refused_before_anything_is_erased():
    rom, release = Rom(), _made(8, 8)
    before = bytes(rom.view(1))
    release.stream += bytes(SECTORS * 4096)
    try:
        release.stage(rom)
        raise AssertionError("it was taken")
    except ReleaseError as error:
        assert error.args[0] == "update_space"
    assert bytes(rom.view(1)) == before


def test_another_size_than_the_manifest_names_is_refused():
    rom, release = Rom(), _made(9, 9)
    release.stream += b"more"
    try:
        release.bring(rom)
        raise AssertionError("it was taken")
    except ReleaseError as error:
        assert error.args[0] == "update_size"

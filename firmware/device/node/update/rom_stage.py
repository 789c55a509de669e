"""Writes a release, part by part, into a slot of flash from which it runs in place.

The slot becomes one ROMFS image (MicroPython, ``extmod/vfs_rom.c``): a header, a padding record
with the release's signature and its stream byte for byte, then directories whose files point into
that stream. On NOR flash a write clears bits, so a part torn by a power cut is written again. The
header is written last, when every hash is right: without it nothing can be mounted. Removal clears
the signature first, then the header.
"""

import hashlib

from micropython import const
from node.update import manifest
from node.update.manifest import ReleaseError

_KIND = const(b"\xd2\xcd\x31")
_PADDING = const(1)
_POINTER = const(3)
_FOLDER = const(4)
_FILE = const(5)

_BODY = const(7)  # behind the header's kind and length; pointers count from here
_SIG = const(12)  # behind the padding record's
_SIG_END = const(98)
_STREAM = const(256)  # where a page of NOR flash begins
_CHUNK = const(512)
_PART = const(2048)  # bytes of one write
_LINE = const(256)


class RomStage:
    """Slot ``slot`` of ``rom`` (in_place.Rom) while a release with ``signature`` is written to it.

    ``size`` and ``manifest_size`` are of the stream. Methods and ``verify``: see
    file_stage.FileStage.
    """

    def __init__(self, rom, slot, signature, size, manifest_size, verify):
        self._rom = rom
        self._slot = slot
        self._view = rom.view(slot)
        self._size = size
        self._manifest_size = manifest_size
        self._verify = verify
        self._manifest = None
        if _STREAM + size > len(self._view):
            raise ReleaseError("update_space")
        if bytes(self._view[_SIG:_SIG_END]) != signature.encode():
            self.wipe()
            rom.program(slot, _SIG, signature.encode())
        # The last part may be torn: it is downloaded again.
        self.position = max(self._written() - 1, 0) // _PART * _PART
        self.settle()

    def write(self, data):
        """Write the stream's next bytes. Raises ReleaseError, or OSError when the flash fails."""
        if self.position + len(data) > self._size:
            raise ReleaseError("update_size")
        self._rom.program(self._slot, _STREAM + self.position, data)
        self.position += len(data)

    def settle(self):
        """Read the manifest once it is complete. Raises ReleaseError."""
        if self._manifest is None and self.position >= self._manifest_size:
            self._read_manifest()

    @property
    def complete(self):
        """Whether every byte is written."""
        return self._manifest is not None and self.position == self._size

    def finish(self):
        """Check every file against the manifest and write directories and header; after that the
        slot can be tried. Raises ReleaseError."""
        found, at = self._view, _STREAM + self._manifest_size
        for _, size, digest in manifest.files(self._lines()):
            if hashlib.sha256(found[at : at + size]).digest() != digest:
                raise self._spoilt("update_hash")
            at += size
        end = at + (at & 1)
        folders = _folders(self._lines(), self._manifest_size)
        if end + len(folders) > len(found):
            raise self._spoilt("update_space")
        self._rom.program(self._slot, end, folders)
        head = _KIND + _fixed(end + len(folders) - _BODY) + bytes((_PADDING,)) + _fixed(end - _SIG)
        self._rom.program(self._slot, 0, head)
        if found[:_SIG] != head or found[end : end + len(folders)] != folders:
            raise self._spoilt("update_hash")  # the flash is worn

    def wipe(self):
        """Remove the slot."""
        rom, slot = self._rom, self._slot
        if self._dirty(0, _SIG_END):
            rom.program(slot, _SIG, bytes(_SIG_END - _SIG))
            rom.program(slot, 0, bytes(_SIG))
        for sector in range(len(self._view) // rom.SECTOR - 1, -1, -1):
            if self._dirty(sector * rom.SECTOR, (sector + 1) * rom.SECTOR):
                rom.erase(slot, sector)

    def _spoilt(self, code):
        self.wipe()  # the same release may be offered again
        return ReleaseError(code)

    def _read_manifest(self):
        try:
            found = self._verify(self._lines)
        except ReleaseError as error:
            raise self._spoilt(error.args[0]) from None
        if found.size != self._size - self._manifest_size:
            raise self._spoilt("update_size")
        self._manifest = found

    def _lines(self):
        at, end = _STREAM, _STREAM + self._manifest_size
        while at < end:
            line = bytes(self._view[at : min(end, at + _LINE)])
            line = line[: line.find(b"\n") + 1] or line
            yield line
            at += len(line)

    def _written(self):
        """How many bytes of the stream are here, the last part perhaps torn."""
        for at in range(self._size // _CHUNK * _CHUNK, -1, -_CHUNK):
            if self._dirty(_STREAM + at, _STREAM + min(at + _CHUNK, self._size)):
                return min(at + _CHUNK, self._size)
        return 0

    def _dirty(self, start, end):
        """Whether a byte of the range is not erased."""
        for at in range(start, end, _CHUNK):
            if bytes(self._view[at : min(at + _CHUNK, end)]).strip(b"\xff"):
                return True
        return False


def _folders(lines, manifest_size):
    """The records of all folders and files; of even length, as the format requires."""
    at = _STREAM - _BODY
    made = {"": bytearray(_file(manifest.NAME, manifest_size, at))}
    at += manifest_size
    for path, size, _ in manifest.files(lines):
        folder, leaf = _parted(path)
        made.setdefault(folder, bytearray()).extend(_file(leaf, size, at))
        at += size
    while len(made) > 1:
        deepest = max(made, key=lambda folder: folder.count("/") if folder else -1)
        folder, leaf = _parted(deepest)
        record = _record(_FOLDER, _name(leaf) + made.pop(deepest))
        made.setdefault(folder, bytearray()).extend(record)
    records = made[""]
    return b"\x80" + records if len(records) & 1 else records


def _parted(path):
    at = path.rfind("/")
    return path[: max(at, 0)], path[at + 1 :]


def _file(name, size, at):
    return _record(_FILE, _name(name) + _record(_POINTER, _number(size) + _number(at)))


def _record(kind, payload):
    return bytes((kind,)) + _number(len(payload)) + payload


def _name(name):
    return _number(len(name)) + name.encode()


def _number(value):
    """Seven bits a byte, the highest first, each but the last with its top bit set."""
    encoded = bytes((value & 0x7F,))
    while value > 0x7F:
        value >>= 7
        encoded = bytes((value & 0x7F | 0x80,)) + encoded
    return encoded


def _fixed(value):
    """The same in four bytes, for a length that is filled in later."""
    return bytes((value >> 21 & 0x7F | 0x80, value >> 14 & 0x7F | 0x80, value >> 7 & 0x7F | 0x80,
                  value & 0x7F))  # fmt: skip

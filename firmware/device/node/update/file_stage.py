"""Writes a release, part by part, into the files of a slot.

Its progress is the files themselves, so a power cut at any moment costs at most the part being
written. The file ``sig`` identifies the release: it is written first and removed first.
``rom_stage.py`` does the same where the interpreter runs builds in place.
"""

import os

from micropython import const
from node.update import manifest
from node.update.manifest import ReleaseError

_SIG = const("sig")
_FOLDER = const(0x4000)


class FileStage:
    """The slot ``folder`` while the release with ``signature`` (text) is written to it.

    The stream is the manifest's ``manifest_size`` bytes, then every file's in its order.
    ``verify(lines)`` is called with a function that iterates over the manifest's lines; it returns
    the Manifest and raises ReleaseError unless it is signed and fits this node. A release that
    cannot be used is removed.
    """

    def __init__(self, folder, signature, manifest_size, verify):
        self._folder = folder
        self._manifest_size = manifest_size
        self._verify = verify
        self._manifest = None
        if _text(self._path(_SIG)) != signature:
            self.wipe()
            _folder(folder)
            _append(self._path(_SIG), signature.encode())
        self.position = self._found()

    def write(self, data):
        """Write the stream's next bytes. Raises ReleaseError, or OSError when the flash is full."""
        data = memoryview(data)
        while data:
            path, end = self._place()
            count = min(len(data), end - self.position)
            _append(path, data[:count])
            self.position += count
            data = data[count:]
            self.settle()

    def settle(self):
        """Read the manifest once it is complete. Raises ReleaseError."""
        if self._manifest is None and self.position == self._manifest_size:
            self._read_manifest()

    @property
    def complete(self):
        """Whether every byte is written."""
        found = self._manifest
        return found is not None and self.position == self._manifest_size + found.size

    def finish(self):
        """Check every file against the manifest; after that the slot can be tried. Raises
        ReleaseError."""
        for name, _, digest in manifest.files(self._lines()):
            if manifest.digest(self._path(name)) != digest:
                raise self._spoilt("update_hash")

    def wipe(self):
        """Remove the slot."""
        try:
            os.remove(self._path(_SIG))
        except OSError:
            pass  # it had none
        _remove(self._folder)

    def _spoilt(self, code):
        self.wipe()  # the same release may be offered again
        return ReleaseError(code)

    def _found(self):
        """How many bytes of the stream are written already."""
        size = _size(self._path(manifest.NAME))
        if size < self._manifest_size:
            return max(size, 0)
        self._read_manifest()
        at = self._manifest_size
        for name, whole, _ in manifest.files(self._lines()):
            size = _size(self._path(name))
            at += max(size, 0)
            if size != whole:
                break
        return at

    def _read_manifest(self):
        try:
            self._manifest = self._verify(self._lines)
        except ReleaseError as error:
            raise self._spoilt(error.args[0]) from None
        for name, size, _ in manifest.files(self._lines()):
            if _size(self._path(name)) > size:  # appending could not repair it
                raise self._spoilt("update_hash")

    def _lines(self):
        with open(self._path(manifest.NAME), "rb") as file:
            yield from file

    def _place(self):
        """Where the byte at ``position`` belongs: (path, position of that file's end)."""
        end = self._manifest_size
        if self.position < end:
            return self._path(manifest.NAME), end
        for name, size, _ in manifest.files(self._lines()):
            end += size
            if self.position < end:
                for at, char in enumerate(name):
                    if char == "/":
                        _folder(self._path(name[:at]))
                return self._path(name), end
        raise ReleaseError("update_size")  # the stream is longer than the manifest's files

    def _path(self, name):
        return self._folder + "/" + name


def _append(path, data):
    with open(path, "ab") as file:
        file.write(data)


def _text(path):
    try:
        with open(path) as file:
            return file.read()
    except (OSError, UnicodeError):
        return ""


def _size(path):
    try:
        return os.stat(path)[6]
    except OSError:
        return -1


def _folder(path):
    try:
        os.mkdir(path)
    except OSError:
        pass  # it exists; if not, the next write fails


def _remove(path):
    try:
        if os.stat(path)[0] & _FOLDER:
            for name in os.listdir(path):
                _remove(path + "/" + name)
            os.rmdir(path)
        else:
            os.remove(path)
    except OSError:
        pass  # it does not exist

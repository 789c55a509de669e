"""A release as it comes in, part by part, into the slot that does not run.

Nothing but the files themselves says how far it came, so a power cut at any moment costs at most
the part under way. ``sig`` tells which release it is: it is written first and removed first.
"""

import gc
import os

from micropython import const

from node import manifest
from node.manifest import ReleaseError

_SIG = const("sig")
_FOLDER = const(0x4000)


class _Nothing:
    """What is known of a release before its manifest is here."""

    files = ()
    size = 0


class Stage:
    """The slot ``folder`` being filled with the release that ``signature`` (text) names.

    The stream is the manifest's ``manifest_size`` bytes, then every file's in its order.
    ``verify(path)`` raises ReleaseError unless the manifest is signed and fits this node.
    """

    def __init__(self, folder, signature, manifest_size, verify):
        self._folder = folder
        self._manifest_size = manifest_size
        self._verify = verify
        self.manifest = _Nothing
        if _text(self._path(_SIG)) != signature:
            self.wipe()
            _folder(folder)
            _append(self._path(_SIG), signature.encode())
        self.position = self._found()

    def write(self, data):
        """Take the stream's next bytes. Raises ReleaseError, or OSError when the flash is full."""
        data = memoryview(data)
        while data:
            path, end = self._place()
            count = min(len(data), end - self.position)
            _append(path, data[:count])
            self.position += count
            data = data[count:]
            if self.manifest is _Nothing and self.position == self._manifest_size:
                self._read_manifest()

    @property
    def complete(self):
        """Whether every byte is here."""
        return self.position == self._manifest_size + self.manifest.size > self._manifest_size

    def check(self):
        """Raises ReleaseError unless every file is what the manifest says."""
        for name, _, digest in self.manifest.files:
            if manifest.digest(self._path(name)) != digest:
                raise ReleaseError("update_hash")

    def wipe(self):
        """Remove the slot."""
        try:
            os.remove(self._path(_SIG))
        except OSError:
            pass  # it had none
        _remove(self._folder)

    def _found(self):
        """How many bytes of the stream are here already."""
        size = _size(self._path(manifest.NAME))
        if size < self._manifest_size:
            return max(size, 0)
        self._read_manifest()
        at = self._manifest_size
        for name, whole, _ in self.manifest.files:
            size = _size(self._path(name))
            at += max(size, 0)
            if size != whole:
                break
        return at

    def _read_manifest(self):
        path = self._path(manifest.NAME)
        self._verify(path)
        gc.collect()  # of what verifying took, before its files are listed
        self.manifest = manifest.load(self._folder)
        for name, size, _ in self.manifest.files:  # nothing is appended to what is too long
            if _size(self._path(name)) > size:
                raise ReleaseError("update_hash")

    def _place(self):
        """Where the byte at ``position`` belongs: (path, position of that file's end)."""
        end = self._manifest_size
        if self.position < end:
            return self._path(manifest.NAME), end
        for name, size, _ in self.manifest.files:
            end += size
            if self.position < end:
                for at, char in enumerate(name):
                    if char == "/":
                        _folder(self._path(name[:at]))
                return self._path(name), end
        raise ReleaseError("update_size")  # more came than the manifest names

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
        pass  # it is there; if not, the next write says so


def _remove(path):
    try:
        if os.stat(path)[0] & _FOLDER:
            for name in os.listdir(path):
                _remove(path + "/" + name)
            os.rmdir(path)
        else:
            os.remove(path)
    except OSError:
        pass  # gone already

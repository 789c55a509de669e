"""Whatever we write is for our own user alone: files 0600, folders 0700."""

import os
import stat
from pathlib import Path

MASK = 0o077


def only_ours() -> None:
    """Let this process, and those that it starts, make files that only their owner may read."""
    os.umask(MASK)


def tighten(folder: Path) -> None:
    """Take rights of others from a folder and all that is in it, which an older version left.

    Links are followed by nobody: the archive may be on another disk, whose files are tightened
    where they are written. What belongs to somebody else stays as it is.
    """
    for path in (folder, *folder.rglob("*")):
        try:
            found = path.lstat()
        except FileNotFoundError:  # a file of the running programs that they just removed
            continue
        mode = stat.S_IMODE(found.st_mode)
        if stat.S_ISLNK(found.st_mode) or not mode & MASK or found.st_uid != os.geteuid():
            continue
        path.chmod(mode & ~MASK)

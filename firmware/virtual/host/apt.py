"""Fetches a Debian package and its dependencies into a private tree, without root or installing.

apt itself checks the signed lists and every hash. It uses a state, cache and source line of its
own, so the system does not change. The mirror is the one that this machine already uses.
"""

import os
import shutil
import subprocess
from pathlib import Path

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_OWN_HOOKS = ("APT::Update::Post-Invoke", "APT::Update::Pre-Invoke", "DPkg::Post-Invoke")


class FetchError(Exception):
    """A package could not be fetched; the message names the step and the remedy."""


def fetch(package: str, release: str, tree: Path, architecture: str | None = None) -> None:
    """Unpack ``package`` of the Debian ``release`` and its dependencies into ``tree``.

    ``architecture`` in Debian's words, such as ``i386``, where it is not this machine's. ``tree``
    appears only when it is complete. Raises :class:`FetchError`.
    """
    work = tree.with_name(f".{tree.name}-{os.getpid()}")
    try:
        _prepare(work, release, architecture)
        _apt(work, "update")
        _apt(work, "install", "-y", "--download-only", "--no-install-recommends", package)
        for archive in sorted((work / "cache/archives").glob("*.deb")):
            _run(["dpkg-deb", "-x", str(archive), str(work / "tree")])
        if not tree.exists():
            (work / "tree").rename(tree)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def mirror(codename: str) -> str:
    """The archive from which this machine takes Debian ``codename``; raises FetchError."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise FetchError("apt-get and dpkg-deb are missing: this is not a Debian machine")
    targets = _run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages"]
    )
    for line in targets.splitlines():
        name, _, address = line.partition(" ")
        if name == codename:
            return address
    raise FetchError(f"apt's sources name no archive of Debian {codename}: add one")


def codename() -> str:
    """This machine's Debian release, such as ``bookworm``; raises FetchError elsewhere."""
    release = Path("/etc/os-release")
    text = release.read_text(encoding="utf-8") if release.exists() else ""
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    if fields.get("ID", "").strip('"') != "debian":
        raise FetchError("this machine is not Debian: put a micropython on the PATH instead")
    return fields.get("VERSION_CODENAME", "").strip('"')


def _prepare(work: Path, release: str, architecture: str | None) -> None:
    """Lays out apt's private state with one source line and a configuration of its own."""
    for folder in ("lists/partial", "cache/archives/partial", "log", "tree"):
        (work / folder).mkdir(parents=True)
    (work / "status").touch()
    signed_by = f"[signed-by={_KEYRING}] " if _KEYRING.exists() else ""
    (work / "sources.list").write_text(f"deb {signed_by}{mirror(codename())} {release} main\n")
    settings = {
        "Dir::Etc::sourcelist": str(work / "sources.list"),
        "Dir::Etc::sourceparts": "-",
        "Dir::State": str(work),
        "Dir::State::lists": str(work / "lists"),
        "Dir::State::status": str(work / "status"),
        "Dir::Cache": str(work / "cache"),
        "Dir::Log": str(work / "log"),
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        # As root apt would step down to a user who cannot enter a private cache folder.
        "APT::Sandbox::User": "",
    }
    if architecture is not None:
        settings["APT::Architecture"] = settings["APT::Architectures"] = architecture
    lines = [f'{name} "{value}";' for name, value in settings.items()]
    # The system's hooks (an image's "docker-clean") would tidy the system's own cache.
    lines += [f"#clear {name};" for name in _OWN_HOOKS]
    (work / "apt.conf").write_text("\n".join(lines) + "\n")


def _apt(work: Path, *arguments: str) -> str:
    return _run(["apt-get", "-q", "-c", str(work / "apt.conf"), *arguments])


def _run(command: list[str]) -> str:
    """Standard output of a command; raises FetchError with its last lines of errors."""
    done = subprocess.run(  # noqa: S603 - fixed programs, arguments of our own making
        command, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode != 0:
        errors = "\n".join((done.stderr or done.stdout).strip().splitlines()[-4:])
        raise FetchError(f"{' '.join(command[:1] + command[-1:])} failed:\n{errors}")
    return done.stdout

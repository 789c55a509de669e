"""``make audit``: asks for known vulnerabilities of what the locks name, and says what it asked.

pip-audit asks a service on the network. It takes a package that the service does not answer for as
one without vulnerabilities: such packages are counted here as not asked. The copy in the tree is
always asked.
"""

import json
import subprocess
import sys
from typing import Any, NamedTuple

from tests.supply import advisories
from tests.supply.locks import LOCKS, locked


class Answer(NamedTuple):
    """``vulnerable``: lines for people. ``asked``: packages that the service answered for."""

    vulnerable: list[str]
    asked: int
    trouble: str


def of_the_service() -> Answer:
    """pip-audit's answer for all locks."""
    files = [word for lock in LOCKS for word in ("-r", str(lock))]
    command = ["--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off"]
    asked = subprocess.run(
        [sys.executable, "-m", "pip_audit", *command, "--timeout", "15", *files],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return answer(asked.stdout, asked.stderr)


def answer(output: str, errors: str) -> Answer:
    """What pip-audit found, from its JSON; without any, why not."""
    try:
        found: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        return Answer([], 0, (errors.strip().splitlines() or ["no answer"])[-1][:300])
    skipped = [d["skip_reason"] for d in found if "skip_reason" in d]
    vulnerable = [
        f"{d['name']} {d['version']}: {v['id']}, fixed in {', '.join(v['fix_versions']) or 'none'}"
        for d in found for v in d.get("vulns", [])
        if advisories.ACCEPTED.keys().isdisjoint([v["id"], *v["aliases"]])
    ]  # fmt: skip
    return Answer(vulnerable, len(found) - len(skipped), skipped[0] if skipped else "")


def of_the_copy() -> list[str]:
    """What the copy in the tree knows about locked versions."""
    copy = advisories.read()
    return [
        f"{name} {version}: {known}"
        for name, versions in sorted(locked().items()) for version in sorted(versions)
        for known in advisories.affecting(copy, name, version) if known not in advisories.ACCEPTED
    ]  # fmt: skip


def main() -> int:
    """Exit status 1 when a locked version has a known vulnerability."""
    copied, service = of_the_copy(), of_the_service()
    print(
        f"audit: {len(locked())} packages in {len(LOCKS)} locks; the copy of the advisory database "
        f"is of {advisories.read().dated}: {len(copied)} known vulnerabilities, "
        f"{len(advisories.ACCEPTED)} accepted"
    )
    if service.trouble:
        print(f"audit: NOT ASKED on the network: all but {service.asked}; {service.trouble}")
    else:
        print(f"audit: {service.asked} asked on the network, {len(service.vulnerable)} found")
    for found in (*copied, *service.vulnerable):
        print(f"audit: {found}")
    return 1 if copied or service.vulnerable else 0


if __name__ == "__main__":
    sys.exit(main())

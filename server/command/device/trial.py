"""``noria device test``: tests every part of a board once and keeps its public key."""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click

from gateway.database.engine import open_database
from gateway.devices import enrolment
from gateway.runtime.clock import Clock
from server.command.config import settings_of, with_config
from server.command.device.cable import Cable, CableError

_SCRIPT = "import selftest; selftest.main()"
_PARTS = {
    "level": "level sensor",
    "battery": "battery",
    "motion": "accelerometer",
    "ring": "flash partition",
    "link": "radio",
    "identity": "identity",
}
_REMEDIES = {
    "level": "check its supply, and RX and TX, which cross",
    "battery": "check the cell and its plug",
    "motion": "lay it still; check SDA, SCL, INT1 and INT2",
    "ring": "noria device flash writes the partition table",
    "link": "check network, password and antenna; config.json names them",
    "identity": "noria device flash copies config.json",
}


@click.command()
@click.argument("port", metavar="PORT")
@click.option("--dry-run", is_flag=True, help="Print what would run, and run nothing.")
@with_config
def test(port: str, dry_run: bool, config: str | None) -> None:
    """Run every part of the board at PORT once, print readings and verdicts, keep its key."""
    cable = Cable(port, dry_run)
    cable.check()
    cable.hello()
    output = cable.mpremote("exec", _SCRIPT, words="Running every part once, a minute at most.")
    if dry_run:
        return
    found = {str(result["part"]): result for result in lines(output) if "part" in result}
    for part, name in _PARTS.items():
        result = found.get(part, {"ok": False, "say": "nothing was told"})
        verdict = "ok  " if result.get("ok") else "FAIL"
        click.echo(f"  {verdict}  {name:16} {_figures(result)}")
        if not result.get("ok"):
            click.echo(f"        {'':16} {_REMEDIES[part]}")
    _keep_key(found.get("identity", {}), config)
    if not all(found.get(part, {}).get("ok") for part in _PARTS):
        sys.exit(1)


def lines(output: str) -> Iterator[Mapping[str, Any]]:
    """The JSON objects in a board's output. Raises CableError when there is none."""
    objects = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    if not objects:
        tail = "\n".join(output.strip().splitlines()[-3:])
        raise CableError(f"the board ran nothing: flash it first. It said:\n{tail}")
    yield from objects


def _figures(result: Mapping[str, Any]) -> str:
    if "say" in result:
        return str(result["say"])
    if "quantity" in result:
        if result["value"] is None:
            return f"{result.get('code', 'nothing')}, {result['n']} of {result['of']} samples"
        value = f"{result['value']} {result['quantity']}, spread {result['spread']}"
        return f"{value}, {result['n']} of {result['of']} samples"
    shown = ((k, v) for k, v in result.items() if k not in ("ok", "part", "public_key"))
    return ", ".join(f"{name} {value}" for name, value in shown)


def _keep_key(identity: Mapping[str, Any], config: str | None) -> None:
    device, key = identity.get("device"), identity.get("public_key")
    if not device or not key:
        return
    settings = settings_of(config)
    now = Clock(settings.clock_speed, settings.clock_origin).now()
    with open_database(settings).begin() as connection:
        enrolment.set_public_key(connection, device, bytes.fromhex(key), now)
    click.echo(f"The public key of {device} is in the registry.")

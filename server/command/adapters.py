"""``noria adapters``: tries a mapping of third-party sensors before the gateway uses it."""

import json
import time
from pathlib import Path
from typing import IO, Any

import click

from gateway import settings as settings_module
from gateway.database.engine import connect
from gateway.domain.boot_time import is_plausible
from gateway.domain.interpret import Interpreter
from gateway.domain.registry import Registry
from gateway.errors import SettingError
from gateway.ingest.adapters import mapping
from gateway.ingest.adapters.feed import FROM_SENDER, Feed, FeedReader, with_numbers
from gateway.ingest.adapters.formats import TIMES, Unreadable
from gateway.registry import rows
from gateway.settings import Settings
from gateway.wire import decode

_NOT_TAKEN = 1  # exit status


@click.group()
def adapters() -> None:
    """ESPHome, Tasmota, ChirpStack v4, The Things Stack, any JSON: their unsigned readings."""


@adapters.command()
def example() -> None:
    """Print a commented mapping file to begin with."""
    click.echo(mapping.EXAMPLE.read_text("utf-8"), nl=False)


@adapters.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("payload", type=click.File("rb"))
@click.option("--topic", metavar="T", help="The topic it came on; needed where FILE has several.")
@click.option("--config", metavar="F", help="For the litres: else NORIA_CONFIG, else ./noria.toml.")
@click.pass_context
def test(
    context: click.Context, file: Path, payload: IO[bytes], topic: str | None, config: str | None
) -> None:
    """Show what PAYLOAD (a file; - is standard input) would become by the mapping FILE.

    Nothing is sent or kept. Exit status 1 when it would not be taken, with the reason.
    """
    feeds = mapping.read(file).feeds
    topics = {name: feed for feed in feeds for name in feed.topics}
    feed = _feed(topics, topic)
    name = topic or next(iter(topics))
    now = time.time()
    try:
        fields, uplink = FeedReader(feed).read(name, payload.read(), now)
    except Unreadable as error:
        click.echo(f"noria: {name}: not taken: {error}", err=True)
        context.exit(_NOT_TAKEN)
    found = {
        "device": feed.device, "from": feed.adapter.name, "auth": "unsigned",
        "time": "the sender's" if fields["ts"] == FROM_SENDER else "of receipt",
        "redelivery_known_by": uplink.identity is not None,
        "taken_as": {n: v for n, v in fields.items() if n in ("t", "next", "mv", "rssi", "r")},
        **_litres(feed, with_numbers(fields, 0), now, config),
    }  # fmt: skip
    if feed.time is not None and fields["ts"] != FROM_SENDER:
        found["time_problem"] = (
            f"no {feed.time.unit} near now at its path (units: {', '.join(TIMES)}): that of "
            "receipt is used"
        )
    if uplink.problem:
        found["problem"] = f"{uplink.problem}: taken as a reading without a value"
    click.echo(json.dumps(found, indent=2))


def _feed(topics: dict[str, Feed], topic: str | None) -> Feed:
    if topic is None and len(topics) == 1:
        return next(iter(topics.values()))
    if topic is None or topic not in topics:
        known = ", ".join(topics) or "none"
        raise SettingError(f"--topic {topic or ''}: name one of the mapping's topics: {known}")
    return topics[topic]


def _litres(feed: Feed, translated: bytes, now: float, config: str | None) -> dict[str, Any]:
    """Tank and litres, where the registry has the device."""
    settings = _settings(config)
    if settings is None or not settings.database_path.exists():
        return {"tank": None, "why": "no installation here: name its noria.toml with --config"}
    engine = connect(settings.database_path)
    registry = rows.load(engine)
    engine.dispose()
    device = registry.device(feed.device)
    if device is None:
        return {
            "tank": None,
            "why": f"the registry has no device {feed.device}: add its [[device]]",
        }
    if not device.unsigned:
        return {"tank": None, "why": f"{feed.device} is not unsigned = true: it would be refused"}
    return _measured(registry, feed, translated, now)


def _measured(registry: Registry, feed: Feed, translated: bytes, now: float) -> dict[str, Any]:
    message = decode(translated, device=feed.device, feed=True).message
    assert message is not None, "a translated message is well-formed"
    received = now if not is_plausible(message.t, now) else max(now, float(message.t))
    readings = Interpreter(registry).place(message, received)
    levels = [{"volume_l": r.volume_l, "sd_l": r.sd_l, "fault": r.fault} for r in readings]
    return {"tank": registry.tank_of(feed.device, now), "levels": levels}


def _settings(config: str | None) -> Settings | None:
    try:
        return settings_module.read(settings_module.find(config))
    except SettingError:
        if config is not None:
            raise
        return None

"""``noria status``: counts, lags and the broker."""

import json
from datetime import UTC, datetime
from typing import Any

import click

from gateway.monitoring import health
from gateway.monitoring import status as gateway_status
from gateway.monitoring.health import Health
from gateway.monitoring.status import Status
from server.command.config import settings_of, with_config


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, for scripts.")
@with_config
def status(as_json: bool, config: str | None) -> None:
    """Show the counts of the data folder's life, lags, the broker, and what does not work."""
    settings = settings_of(config)
    found = gateway_status.read_status(settings)
    known = health.check_health(settings)
    if as_json:
        click.echo(json.dumps({**found, "health": known.to_json()}))
    else:
        click.echo(f"{_as_text(found)}\n{_health_text(known)}")


def _as_text(found: Status) -> str:
    received, refused, journal = found["received"], found["refused"], found["journal"]
    gateway = "runs" if found["gateway"]["running"] else "does not run: noria up starts it"
    broker = "connected" if found["broker"]["connected"] else "not connected"
    lags = ", ".join(f"{name} {p['lag']}" for name, p in found["projections"].items()) or "none yet"
    waits = "".join(
        f"\n            {name} waits and tries again: {p['trouble']}"
        for name, p in found["projections"].items()
        if "trouble" in p
    )
    trouble = f"\n            {journal['trouble']}" if journal.get("trouble") else ""
    return (
        f"Gateway     {gateway}\n"
        f"{_others(found)}"
        f"Broker      {broker}\n"
        f"TLS         {_tls(found['broker'])}\n"
        f"Journal     {journal['messages']} messages, {journal['leaves']} leaves{trouble}\n"
        f"Received    {_counts(received)}\n"
        f"Refused     {_counts(refused)}\n"
        f"{_feeds(found['feeds'])}"
        f"Lag         {lags} (entries behind the journal){waits}\n"
        f"Alerts      {_alerts(found['outbox'])}"
    )


def _health_text(known: Health) -> str:
    disk = known.parts["disk"].figures
    free = f"{(disk['free_bytes'] or 0) / 1e9:.1f} GB free" if disk else "cannot be looked at"
    parts = {name: part for name, part in known.listened.items() if part is not None}
    listened = ", ".join(f"{part:.1%} of the last {name}" for name, part in parts.items())
    wrong = "".join(f"\n            {n}: {known.parts[n].why}" for n in known.failing)
    return (
        f"Disk        {free}\n"
        f"Listened    {listened or 'not yet'}\n"
        f"Health      {'not well:' + wrong if wrong else 'all is well'}"
    )


def _tls(broker: dict[str, Any]) -> str:
    """Whether devices have TLS, until when, and where anybody may connect without it."""
    plain = ", ".join(broker["plain"])
    ends = broker.get("certificate_ends")
    until = f", its certificate until {datetime.fromtimestamp(ends, UTC).date()}" if ends else ""
    state = f"yes{until}" if broker["tls"] else "no"
    if plain:
        return (
            f"{state}; WITHOUT TLS anybody may connect to {plain}, and what is sent there can be "
            "read on the way: see 'noria certificates'"
        )
    return state if broker["tls"] else "not needed: only this machine reaches the broker"


def _others(found: Status) -> str:
    """A line with all gateways that share the database, else nothing."""
    if "gateways" not in found:
        return ""
    states = {
        name: "watches for all" if one["watches"] else "runs" if one["running"] else "away"
        for name, one in found["gateways"].items()
    }
    return f"Together    {', '.join(f'{name} {how}' for name, how in sorted(states.items()))}\n"


def _feeds(feeds: dict[str, Any]) -> str:
    """A line with what third-party sensors sent and is not readable, else nothing."""
    lines = [
        f"{device}: {problem['number']} without a readable level, the newest: {problem['reason']}"
        for device, problem in feeds.get("problems", {}).items()
    ]
    counts = {n: feeds[n] for n in ("retained", "unreadable", "refused") if feeds[n]}
    if counts:
        lines.insert(0, _counts(counts))
    return "Feeds       " + "\n            ".join(lines) + "\n" if lines else ""


def _alerts(outbox: dict[str, Any]) -> str:
    oldest = f", the oldest for {outbox['oldest_s']:.0f} s" if outbox["waiting"] else ""
    failed = f"; {outbox['failed']} could not be delivered" if outbox["failed"] else ""
    return f"{outbox['waiting']} waiting to be sent{oldest}{failed}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in counts.items())

"""The channel ``log`` names no tank, network or person; ``log-names`` does."""

from dataclasses import replace

from gateway.alerts.channels import open_channels
from gateway.alerts.channels.log import LogChannel
from gateway.alerts.outbox import nameless
from gateway.alerts.text import Alert
from gateway.domain.registry import Registry
from tests.unit.made_alerts import EN, NOW, REGISTRY, body, change


def test_only_log_is_nameless() -> None:
    named = {c.name: c.nameless for c in open_channels(["log", "log-names"])
             if isinstance(c, LogChannel)}  # fmt: skip
    assert named == {"log": True, "log-names": False}


def test_a_tank_is_its_random_id_and_a_network_none() -> None:
    bare = nameless(change("low", {"volume_l": 300.0}), REGISTRY)
    assert (bare.tank, bare.uplink) == ("a", None)
    text = body(Alert(bare, Registry(), EN, NOW))
    assert "Low: a," in text and "Canal" not in text
    out = replace(change("network_out", {"tanks": 2}), tank=None, uplink="canal-router")
    bare = nameless(out, REGISTRY)
    assert (bare.tank, bare.uplink) == (None, "-")
    assert "canal" not in body(Alert(bare, Registry(), EN, NOW)).lower()
    assert nameless(replace(out, tank="gone"), REGISTRY).tank == "-"

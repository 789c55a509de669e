"""Channels are validated at the start; names and errors have no address and no token."""

import pytest

from gateway.alerts.channels import TransportError, open_channels
from gateway.errors import SettingError
from tests.integration.sinks import http_sink, json_channel


def test_an_invalid_channel_stops_the_start_without_its_token() -> None:
    with pytest.raises(SettingError, match="item 2: nosuch://") as error:
        open_channels(["log", "nosuch://secret-token@host"])
    assert "secret-token" not in str(error.value)
    with pytest.raises(SettingError, match="item 1: use log or log-names, or an Apprise URL"):
        open_channels(["secret-token"])
    with pytest.raises(SettingError, match="stands twice"):
        open_channels(["log", "log"])


def test_a_channel_name_is_stable_and_has_no_token() -> None:
    url = "ntfy://ntfy.sh/secret-token"
    (first,), (second,) = open_channels([url]), open_channels([url])
    assert first.name == second.name
    assert first.name.startswith("ntfy-")
    assert "secret" not in first.name


def test_a_channels_error_has_no_address() -> None:
    with http_sink(500) as sink:
        channel = json_channel(sink.port)
        with pytest.raises(TransportError) as error:
            channel.send("text", "title")
    assert str(error.value) == f"{channel.name}: answered 500"
    assert not error.value.permanent

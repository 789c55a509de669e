"""Channels: their names, what they deliver to a local server, and how a failure is classified."""

import hashlib
import json
import logging
import threading
from collections.abc import Iterator

import apprise
import pytest
from apprise.plugins.telegram import NotifyTelegram

from gateway.alerts.channels import TransportError, open_channels
from gateway.alerts.channels.apprise import AppriseChannel
from gateway.alerts.channels.log import LOGGER, LogChannel
from gateway.errors import SettingError
from tests.integration.sinks import HttpSink, http_sink


@pytest.fixture(scope="module")
def sink() -> Iterator[HttpSink]:
    with http_sink() as running:
        yield running


def web_hook(sink: HttpSink) -> AppriseChannel:
    sink.bodies.clear()
    return AppriseChannel(f"json://127.0.0.1:{sink.port}/secret-token")


def test_a_channel_is_named_by_its_scheme_and_part_of_its_digest() -> None:
    url = "JSON://127.0.0.1:1/secret-token"
    digest = hashlib.sha256(url.encode()).hexdigest()
    channel = AppriseChannel(url)
    assert channel.name == f"json-{digest[:6]}"
    assert AppriseChannel(url + "x").name != channel.name


@pytest.mark.parametrize("scheme", ["nosuch", "slack"])
def test_a_url_that_apprise_refuses_is_named_by_its_scheme(scheme: str) -> None:
    with pytest.raises(SettingError) as error:
        AppriseChannel(f"{scheme}://secret-token")
    assert str(error.value) == (
        f"{scheme}://… is not a URL that Apprise understands; check it against "
        "https://github.com/caronc/apprise/wiki"
    )


def test_a_message_has_text_title_and_kind(sink: HttpSink) -> None:
    web_hook(sink).send("Low: Canal 1.", "Low")
    (raw,) = sink.bodies
    body = json.loads(raw)
    assert (body["message"], body["title"], body["type"]) == ("Low: Canal 1.", "Low", "warning")


def test_a_channel_without_titles_receives_the_text_alone(sink: HttpSink) -> None:
    channel = web_hook(sink)
    channel._plugin.title_maxlen = 0
    channel.send("Low: Canal 1.", "Low")
    assert json.loads(sink.bodies[0])["message"] == "Low: Canal 1."
    assert json.loads(sink.bodies[0])["title"] == ""
    channel._plugin.title_maxlen = 1
    channel.send("text", "L")
    assert json.loads(sink.bodies[1])["title"] == "L"


# A request that is malformed, gone, too large or unprocessable will never pass (RFC 9110).
@pytest.mark.parametrize(
    ("status", "permanent"),
    [(400, True), (410, True), (413, True), (422, True), (401, False), (403, False), (404, False),
     (409, False), (411, False), (412, False), (414, False), (421, False), (423, False),
     (429, False), (500, False), (503, False)],
)  # fmt: skip
def test_a_failure_is_permanent_by_its_status(sink: HttpSink, status: int, permanent: bool) -> None:
    channel = web_hook(sink)
    twice = status in (400, 413, 422)  # once more in the barest form
    sink.statuses += [status] * (1 + twice)
    with pytest.raises(TransportError) as error:
        channel.send("text", "title")
    assert str(error.value) == f"{channel.name}: answered {status}"
    assert error.value.permanent is permanent
    channel.send("text", "title")
    assert len(sink.bodies) == 2 + twice
    assert logging.getLogger("apprise").handlers == [] or all(
        type(one).__name__ != "_StatusLog" for one in logging.getLogger("apprise").handlers
    )


def test_a_refused_message_is_sent_once_more_in_its_barest_form(sink: HttpSink) -> None:
    channel = web_hook(sink)
    sink.statuses.append(400)
    channel.send("Nearly empty: Dunes <north> & *west* [1], 40 L, https://n.org/i/1 \u2713", "Low!")
    assert len(sink.bodies) == 2
    bare = json.loads(sink.bodies[1])
    wanted = "Nearly empty: Dunes north west 1 , 40 L, https://n.org/i/1"
    assert bare["message"].split() == wanted.split()
    assert bare["title"] == "Low"


def test_a_name_with_markup_reaches_telegram_as_text(
    sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NotifyTelegram, "notify_url", f"http://127.0.0.1:{sink.port}/bot")
    sink.bodies.clear()
    channel = AppriseChannel("tgram://123456789:abcdefg_hijklmnop/12315544/")
    channel.send("Nearly empty: Dunes <north> & co, 40 L", "Dunes <north>")
    (raw,) = sink.bodies
    text = json.loads(raw)["text"]
    assert "<north>" not in text
    assert "Dunes &lt;north&gt; &amp; co, 40 L" in text


def test_a_closed_port_is_no_answer() -> None:
    with http_sink() as gone:
        channel = AppriseChannel(f"json://127.0.0.1:{gone.port}/secret-token")
    with pytest.raises(TransportError) as error:
        channel.send("text", "title")
    assert str(error.value) == f"{channel.name}: no answer"
    assert not error.value.permanent


class Plugin:
    """A plugin of Apprise's that logs and fails in every way that they do."""

    title_maxlen = 250

    def resolve_format(self, body_format: apprise.NotifyFormat) -> apprise.NotifyFormat:
        return body_format

    def __init__(self, *lines: str, error: Exception | None = None, thread: int = 0):
        self._lines, self._error, self._thread = lines, error, thread

    def notify(self, **message: object) -> bool | None:
        self._log()
        if self._error is not None:
            raise self._error
        return False

    def _log(self) -> None:
        for line in self._lines:
            record = logging.makeLogRecord({"msg": line, "levelno": logging.WARNING})
            record.thread = threading.get_ident() + self._thread
            logging.getLogger("apprise").handle(record)


@pytest.mark.parametrize(
    ("plugin", "text", "permanent"),
    [
        (Plugin("Failed (error=410)"), "answered 410", True),
        (Plugin("Failed, error: 503."), "answered 503", False),
        (Plugin("Failed, error 503."), "answered 503", False),
        (Plugin("sent 410 bytes", "error=1234"), "no answer", False),
        (Plugin("error=503", "error=410"), "answered 410", True),
        (Plugin("error=410", "a second line"), "answered 410", True),
        (Plugin("error=410", thread=1), "no answer", False),
        (Plugin("error=410", thread=-1), "no answer", False),
        (Plugin(), "no answer", False),
        (Plugin(error=OSError("secret")), "OSError", False),
        (Plugin(error=TypeError("secret")), "TypeError", False),
        (Plugin("error=410", error=ValueError("secret")), "ValueError", False),
    ],
)
def test_the_status_is_found_in_the_plugins_log(plugin: Plugin, text: str, permanent: bool) -> None:
    channel = AppriseChannel("json://127.0.0.1:1/secret-token")
    channel._plugin = plugin
    with pytest.raises(TransportError) as error:
        channel.send("text", "title")
    assert str(error.value) == f"{channel.name}: {text}"
    assert error.value.permanent is permanent


def test_only_warnings_are_searched_for_a_status(sink: HttpSink) -> None:
    class Chatty(Plugin):
        def _log(self) -> None:
            logger = logging.getLogger("apprise")
            level = logger.level
            logger.setLevel(logging.DEBUG)
            logger.info("error=410")
            logger.setLevel(level)

    channel = AppriseChannel("json://127.0.0.1:1/")
    channel._plugin = Chatty()
    with pytest.raises(TransportError, match="no answer"):
        channel.send("text", "title")


def test_channels_are_opened_in_order() -> None:
    channels = open_channels([" log ", "json://127.0.0.1:1/a", "json://127.0.0.1:1/b"])
    assert isinstance(channels, tuple)
    assert isinstance(channels[0], LogChannel)
    assert [type(one) for one in channels[1:]] == [AppriseChannel, AppriseChannel]
    assert channels[1].name != channels[2].name
    assert open_channels([]) == ()


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        (
            ["secret"],
            "channels: item 1: use log or log-names, or an Apprise URL such as ntfy://ntfy.sh/topic",
        ),
        (["log", "nosuch://secret"], "channels: item 2: nosuch://… is not a URL that Apprise"),
        (["log", "json://a", "log"], r"channels: item 3 stands twice \(log\): keep one"),
    ],
)
def test_a_wrong_item_is_named_by_its_position(named: list[str], reason: str) -> None:
    with pytest.raises(SettingError, match=reason) as error:
        open_channels(named)
    assert "secret" not in str(error.value)


def test_libraries_do_not_log_addresses() -> None:
    for library in ("apprise", "urllib3", "requests"):
        logging.getLogger(library).setLevel(logging.DEBUG)
    logging.getLogger("apprise").propagate = True
    open_channels(["log"])
    for library in ("apprise", "urllib3", "requests"):
        assert logging.getLogger(library).level == logging.WARNING
    assert not logging.getLogger("apprise").propagate


def test_the_log_channel_writes_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    channel = LogChannel()
    assert channel.name == "log"
    channel.send("Low: Canal 1,\nabout  300 L.", "Low")
    assert caplog.record_tuples == [("noria.alert", logging.INFO, "Low: Canal 1, about 300 L.")]


def test_a_failure_is_temporary_unless_marked() -> None:
    assert not TransportError("x").permanent
    assert TransportError("x", permanent=True).permanent

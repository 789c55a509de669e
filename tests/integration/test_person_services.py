"""Services that reach persons, against real servers, and the passphrase of their contacts."""

import io
import logging
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.alerts.channels import TransportError
from gateway.alerts.people.keys import ContactKeyError, Key, KeyFile
from gateway.alerts.people.services import open_services
from gateway.errors import SettingError
from server.command.main import cli
from tests.integration.sinks import http_sink, smtp_sink


def test_a_mail_reaches_the_address_and_nobody_else() -> None:
    with smtp_sink() as sink:
        url = f"mailto://127.0.0.1:{sink.port}?from=noria@x.org&to={{to}}"
        (mail,) = open_services([f"mail={url}"])
        mail.send("amy+n@example.org", "Low: Canal 1", "Low")
        assert mail.takes("amy@example.org")
        assert [message["To"] for message in sink.messages] == ["amy+n@example.org"]
    with pytest.raises(TransportError) as refused:
        mail.send("amy@example.org", "Low: Canal 1", "Low")
    assert "amy" not in str(refused.value)


def test_an_address_that_a_service_would_drop_is_not_taken_and_not_logged() -> None:
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)  # pytest's own is on Apprise's logger itself
    logging.getLogger("apprise").propagate = True
    logging.getLogger().addHandler(handler)
    try:
        mail, signal = open_services([
            "mail=mailto://u:p@example.org?to={to}",  # it would send to u@example.org
            "signal=signal://127.0.0.1:9/+33612345678/{to}",
        ])  # fmt: skip
        for service, wrong in ((mail, "+33687654321"), (mail, "amys-room"), (signal, "amys-room")):
            assert not service.takes(wrong)
        with pytest.raises(TransportError):
            signal.send("amys-room", "Low", "Low")
    finally:
        logging.getLogger().removeHandler(handler)
    assert mail.takes("amy.o'neil+n@example.org")
    assert signal.takes("+33687654321")
    assert lines.getvalue() == ""


def test_an_address_stays_one_part_of_the_url() -> None:
    with http_sink() as sink:
        (hook,) = open_services([f"hook=json://127.0.0.1:{sink.port}/{{to}}"])
        hook.send("a/../b?c=d#e", "Low", "Low")
        assert sink.paths == ["/a%2F..%2Fb%3Fc=d%23e"]


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ("mail", "item 1: write NAME=URL"),
        ("mail=mailtos://x.org", "with {to} once"),
        ("mail=mailtos://x.org?to={to}&cc={to}", "with {to} once"),
        ("Mail=json://x/{to}", "write NAME=URL"),
        ("mail=nothing://secret-token/{to}", "not an Apprise URL that takes an address"),
    ],
)
def test_a_service_that_cannot_work_is_named_by_its_place(item: str, says: str) -> None:
    with pytest.raises(SettingError) as error:
        open_services([item])
    assert says in str(error.value)
    assert "secret-token" not in str(error.value)


def test_a_name_stands_once() -> None:
    with pytest.raises(SettingError, match="item 2: the name a stands twice"):
        open_services(["a=json://x.org/{to}", "a=json://y.org/{to}"])


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    file = tmp_path / "noria.toml"
    file.write_text(f'data = "{tmp_path / "data"}"\n')
    (tmp_path / "data").mkdir()
    return file


def run(config: Path, *words: str, lines: str = "") -> str:
    result = CliRunner().invoke(cli, [*words, "--config", str(config)], input=lines)
    return result.output if result.exit_code == 0 else f"failed: {result.exception or ''}"


def unlock(config: Path, *words: str, lines: str = "") -> str:
    return run(config, "unlock", "--passphrase-stdin", *words, lines=lines)


def test_a_passphrase_opens_the_contacts_until_they_are_locked(config: Path) -> None:
    file = KeyFile(config.parent / "data")
    assert "no passphrase was set" in unlock(config, lines="five unrelated words\n")
    assert "at least 12 characters" in unlock(config, "--new", lines="short\n")
    assert "Contacts are open" in unlock(config, "--new", lines="five unrelated words\n")
    assert "have a passphrase already" in unlock(config, "--new", lines="others\n")
    first = file.get()
    assert first is not None
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert "locked" in run(config, "lock")
    assert file.get() is None
    assert "not the passphrase" in unlock(config, lines="five unrelated wards\n")
    assert file.get() is None
    assert "open" in unlock(config, lines="five unrelated words\n")
    again = file.get()
    assert again is not None
    assert again.secret == first.secret


def test_another_passphrase_keeps_the_key_and_forgetting_draws_a_new_one(config: Path) -> None:
    file = KeyFile(config.parent / "data")
    unlock(config, "--new", lines="five unrelated words\n")
    before = file.get()
    unlock(config, "--change", lines="five unrelated words\nsix other words here\n")
    assert "not the passphrase" in unlock(config, lines="five unrelated words\n")
    unlock(config, lines="six other words here\n")
    after = file.get()
    assert before is not None
    assert after is not None
    assert before.secret == after.secret
    assert "Removed 0 contacts" in unlock(config, "--forget")
    assert file.get() is None
    unlock(config, "--new", lines="five unrelated words\n")
    drawn = file.get()
    assert drawn is not None
    assert drawn.secret != before.secret


def test_what_is_sealed_opens_with_its_key_and_context_alone() -> None:
    key, other = Key(bytes(32)), Key(bytes(31) + b"1")
    sealed = key.seal("+33612345678", "contact-1")
    assert key.open(sealed, "contact-1") == "+33612345678"
    assert sealed != key.seal("+33612345678", "contact-1")
    for opener, context in ((other, "contact-1"), (key, "contact-2")):
        with pytest.raises(ContactKeyError, match="cannot be opened"):
            opener.open(sealed, context)
    assert key.tag("a", "x") == key.tag("a", "x")
    assert len({key.tag("a", "x"), key.tag("a", "y"), key.tag("b", "x"), other.tag("a", "x")}) == 4

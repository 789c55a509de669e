"""The CA and certificates of the private broker, and which of its listeners use them."""

import re
import socket
import time
from pathlib import Path

import pytest
from cryptography import x509

from gateway import settings as settings_module
from gateway.errors import CertificateError, SettingError
from gateway.mqtt.broker.server_certificate import ServerCertificate
from gateway.mqtt.certificates import authority, facts, names
from gateway.mqtt.certificates.facts import Served
from gateway.mqtt.certificates.folder import BROKER, CA, NEXT, Folder
from gateway.settings import Settings

DAY_S = 86_400.0
CLOCK = Path(__file__).parents[2] / "firmware/device/node/storage/clock.py"


def read(folder: Path, text: str) -> Settings:
    file = folder / "noria.toml"
    file.write_text(text, "utf-8")
    return settings_module.read(file)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A broker on every interface, with a CA."""
    found = read(tmp_path, 'broker_listen = "0.0.0.0:8883"\nbroker_names = ["a.example"]\n')
    Folder(found).make(CA, time.time())
    return found


def test_names_are_hosts_and_addresses_in_their_usual_form() -> None:
    assert names.normal("Pi.Example.") == "pi.example"
    assert names.normal("[2001:DB8::1]") == "2001:db8::1"
    for wrong in ("", "a b", "a.example:8883", "192.168.1.300", "-a", "mqtts://a"):
        with pytest.raises(ValueError, match="no host name"):
            names.normal(wrong)


def test_a_certificate_has_the_given_names_alone_else_those_of_this_machine() -> None:
    found = names.wanted(["Broker.example", "192.0.2.7", "no such name"], "0.0.0.0")  # noqa: S104 - not bound
    assert found == ("broker.example", "192.0.2.7", "localhost", "127.0.0.1", "::1")
    host = socket.gethostname().lower()
    found = names.wanted([], "0.0.0.0")  # noqa: S104 - not bound
    assert found[0] == host
    assert {f"{host.partition('.')[0]}.local", "localhost", "127.0.0.1"} <= set(found)
    assert names.wanted([], "192.0.2.9")[0] == "192.0.2.9"


def test_a_name_is_covered_as_a_whole_or_by_one_star() -> None:
    proven = ("a.example", "*.b.example", "192.0.2.7")
    assert all(names.covers(proven, one) for one in ("A.example", "x.b.example", "192.0.2.7"))
    for other in ("x.a.example", "b.example", "x.y.b.example", "192.0.2.8", "a b"):
        assert not names.covers(proven, other)


def test_certificates_begin_before_the_clock_of_a_node_that_never_had_the_time(
    settings: Settings,
) -> None:
    built = re.search(r"^BUILT = ([\d_]+)", CLOCK.read_text("utf-8"), re.M)
    assert built
    folder = Folder(settings)
    folder.issue(["a.example", "192.0.2.7"], time.time())
    for name, days in ((CA, 20 * 365), (BROKER, 365)):
        made = x509.load_pem_x509_certificate(folder.certificate(name).read_bytes())
        assert made.not_valid_before_utc.timestamp() <= int(built[1])
        assert abs(made.not_valid_after_utc.timestamp() - time.time() - days * DAY_S) < 60
        assert folder.key(name).stat().st_mode & 0o077 == 0
    assert authority.read(folder.certificate(BROKER).read_bytes()).names == (
        "a.example", "192.0.2.7",
    )  # fmt: skip


def test_a_ca_tells_nothing_and_is_never_overwritten(settings: Settings) -> None:
    subject = x509.load_pem_x509_certificate(Folder(settings).certificate(CA).read_bytes()).subject
    assert re.fullmatch(r"CN=Noria [0-9a-f]{8}", subject.rfc4514_string())
    with pytest.raises(CertificateError, match="devices hold that CA"):
        Folder(settings).make(CA, time.time())
    with pytest.raises(CertificateError, match="clock says 1000"):
        Folder(settings).make(NEXT, 1000)


def test_a_key_of_another_ca_signs_nothing_and_the_remedy_is_named(settings: Settings) -> None:
    folder = Folder(settings)
    folder.make(NEXT, time.time())
    folder.key(CA).write_bytes(folder.key(NEXT).read_bytes())
    with pytest.raises(CertificateError, match=r"another certificate's.*back from a backup"):
        folder.issue(["a.example"], time.time())
    folder.key(CA).unlink()
    with pytest.raises(CertificateError, match=r"No such file.*cable"):
        folder.issue(["a.example"], time.time())


def test_a_broken_off_change_of_the_ca_is_finished(settings: Settings) -> None:
    folder = Folder(settings)
    folder.make(NEXT, time.time())
    new = folder.certificate(NEXT).read_bytes()
    folder.key(CA).replace(folder.path / "former-ca.key")
    folder.key(NEXT).replace(folder.key(CA))
    folder.promote()
    folder.issue(["a.example"], time.time())
    assert folder.certificate(CA).read_bytes() == new and not folder.has(NEXT)


@pytest.mark.parametrize(
    ("text", "tls", "plain"),
    [
        ("", False, []),
        ('broker_listen = "[::1]:1883"', False, []),
        ('broker_listen = "0.0.0.0:8883"', True, []),
        ('broker_listen = "192.0.2.7:8883"', True, []),
        ('broker_listen = "0.0.0.0:1883"\nbroker_tls = "off"', False, ["0.0.0.0:1883"]),
        (
            'broker_listen = "0.0.0.0:8883"\nbroker_plain_listen = "0.0.0.0:1883"',
            True,
            ["0.0.0.0:1883"],
        ),
        ('broker_listen = "0.0.0.0:8883"\nbroker_plain_listen = "127.0.0.1:1883"', True, []),
        ('broker = "mqtt://b.example"', False, ["b.example:1883"]),
        ('broker = "mqtt://localhost"', False, []),
        ('broker = "mqtts://b.example"', True, []),
    ],
)
def test_everything_but_loopback_has_tls_or_is_called_plain(
    settings: Settings, text: str, tls: bool, plain: list[str]
) -> None:
    found = read(settings.source.parent, text)
    assert (facts.has_tls(found), facts.plain(found)) == (tls, plain)


def test_an_installation_of_before_goes_on_without_tls_and_is_called_plain(tmp_path: Path) -> None:
    found = read(tmp_path, 'broker_listen = "0.0.0.0:1883"\n')
    assert (facts.source(found), facts.plain(found)) == (None, ["0.0.0.0:1883"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('broker_names = ["a.example:8883"]', "broker_names: 'a.example:8883'.*without a port"),
        ('broker_tls = "on"', "broker_tls = 'on': use one of auto, off"),
        ('broker_plain_listen = "127.0.0.1:1883"', "broker_listen is there"),
        ('broker_plain_listen = "1883"', "broker_plain_listen = '1883': write it as host:port"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        read(tmp_path, text)


def test_people_are_warned_thirty_days_before_the_end_and_told_what_to_do(
    settings: Settings,
) -> None:
    facts.note(settings, Served(("a.example",), 100 * DAY_S))
    assert facts.warning(settings, 69.9 * DAY_S) == ""
    assert "ends in 30 days; the gateway signs the next one when it runs" in facts.warning(
        settings, 70.1 * DAY_S
    )
    facts.note(settings, Served(("a.example",), 100 * DAY_S, "the CA cannot be read"))
    assert "has ended: devices refuse the broker; the gateway could not sign" in facts.warning(
        settings, 100.1 * DAY_S
    )


def serial(settings: Settings) -> int:
    pem = Folder(settings).certificate(BROKER).read_bytes()
    return x509.load_pem_x509_certificate(pem).serial_number


def test_the_certificate_is_signed_again_sixty_days_before_its_end(settings: Settings) -> None:
    folder, wanted = Folder(settings), names.wanted(("a.example",), "0.0.0.0")  # noqa: S104 - not bound
    folder.issue(wanted, time.time() - (365 - 61) * DAY_S)
    before = serial(settings)
    ServerCertificate(settings).prepare()
    assert serial(settings) == before
    folder.issue(wanted, time.time() - (365 - 59) * DAY_S)
    before = serial(settings)
    served = ServerCertificate(settings)
    served.prepare()
    assert serial(settings) != before and not served.changed()
    noted = facts.noted(settings)
    assert noted is not None and noted.ends > time.time() + 364 * DAY_S
    folder.issue(wanted, time.time())
    assert served.changed() and not served.changed()


def test_a_new_name_or_address_is_signed_at_the_next_start(settings: Settings) -> None:
    ServerCertificate(settings).prepare()
    before = serial(settings)
    more = read(
        settings.source.parent,
        'broker_listen = "0.0.0.0:8883"\nbroker_names = ["a.example", "b.example"]\n',
    )
    ServerCertificate(more).prepare()
    assert serial(settings) != before
    assert "b.example" in authority.read(Folder(more).certificate(BROKER).read_bytes()).names


def test_without_its_ca_the_gateway_serves_what_it_has_and_says_so(settings: Settings) -> None:
    folder = Folder(settings)
    folder.issue(["a.example"], time.time() - 350 * DAY_S)
    folder.key(CA).unlink()
    ServerCertificate(settings).prepare()
    assert "put ca.pem and ca.key back" in facts.warning(settings, time.time())
    folder.certificate(BROKER).write_text("damaged")
    with pytest.raises(CertificateError, match=r"broker.pem cannot be served.*back from a backup"):
        ServerCertificate(settings).prepare()


def test_a_half_written_certificate_is_not_taken(settings: Settings) -> None:
    served = ServerCertificate(settings)
    served.prepare()
    good = Folder(settings).certificate(BROKER).read_bytes()
    Folder(settings).certificate(BROKER).write_bytes(good[:99])
    assert not served.changed()
    Folder(settings).certificate(BROKER).write_bytes(good)
    assert served.changed()


def test_somebody_elses_certificate_is_read_again_and_never_signed(settings: Settings) -> None:
    Folder(settings).issue(["a.example"], time.time() - 340 * DAY_S)
    for suffix in ("pem", "key"):
        source = Folder(settings).path / f"broker.{suffix}"
        (settings.source.parent / f"other.{suffix}").write_bytes(source.read_bytes())
    other = read(
        settings.source.parent,
        'broker_certificate = "other.pem"\nbroker_key = "other.key"\n',
    )
    served = ServerCertificate(other)
    served.prepare()
    assert not served.changed()
    assert "put its successor there" in facts.warning(other, time.time())
    Folder(settings).issue(["a.example"], time.time())
    for suffix in ("pem", "key"):
        source = Folder(settings).path / f"broker.{suffix}"
        (settings.source.parent / f"other.{suffix}").write_bytes(source.read_bytes())
    assert served.changed()
    assert facts.warning(other, time.time()) == ""


def _ca_with(settings: Settings, days: float) -> Folder:
    """Our CA ends in so many days."""
    folder = Folder(settings)
    old = authority.new_authority(time.time() - (20 * 365 - days) * DAY_S)
    folder.certificate(CA).write_bytes(old.certificate)
    folder.key(CA).write_bytes(old.key)
    folder.certificate(BROKER).unlink(missing_ok=True)
    return folder


def test_a_year_before_the_ca_ends_people_are_told_to_change_it(settings: Settings) -> None:
    for days, warned in ((366, False), (364, True)):
        folder = _ca_with(settings, days)
        ServerCertificate(settings).prepare()
        said = facts.warning(settings, time.time())
        assert ("'noria certificates roll' brings the next one" in said) == warned, said
        ends = authority.read(folder.certificate(BROKER).read_bytes()).ends
        assert ends <= authority.read(folder.certificate(CA).read_bytes()).ends


def test_at_the_end_of_its_ca_a_certificate_is_signed_once_and_then_none(
    settings: Settings,
) -> None:
    folder, wanted = _ca_with(settings, 20.5), names.wanted(("a.example",), "0.0.0.0")  # noqa: S104 - not bound
    ServerCertificate(settings).prepare()
    assert folder.due(wanted, time.time()) == ""
    with pytest.raises(CertificateError, match="the CA ended on"):
        _ca_with(settings, 0.5).issue(wanted, time.time())

"""Mosquitto as the private broker: its configuration and that of its dynamic-security plugin."""

import base64
import contextlib
import hashlib
import json
import os
import pwd
import resource
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from gateway.mqtt.broker.child import QUEUES
from gateway.mqtt.broker.rules import Login
from gateway.mqtt.certificates.facts import Source
from gateway.settings import Settings, listen_address

Json = dict[str, object]

_PROGRAM_FOLDERS = (
    "/usr/local/sbin", "/usr/sbin", "/usr/local/bin", "/usr/bin", "/opt/homebrew/sbin",
)  # fmt: skip
_PLUGIN_FOLDERS = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib")
_PLUGIN = "mosquitto_dynamic_security.so"
_ITERATIONS = 10_000
"""Enough for random passwords of 256 bits; more is for passwords that people choose."""

# max_queued_messages: the default of 1000 loses messages while the
# gateway is stopped. use_username_as_clientid, below, keeps devices from taking over our session.
_CONFIG = """\
per_listener_settings false
allow_anonymous false
plugin {plugin}
plugin_opt_config_file {location}dynamic-security.json
message_size_limit 16384
persistence true
persistence_location {location}
persistence_file {queues}
autosave_interval 120
max_queued_messages 1000000
max_inflight_messages 1000
max_packet_size 65536
set_tcp_nodelay true
user {user}
log_dest stderr
log_type error
log_type warning
log_timestamp false
connection_messages false
"""

# use_username_as_clientid comes after the listener: before the first one, it applies to none.
_LISTENER = """\
listener {port} {host}
use_username_as_clientid true
max_connections {connections}
"""
_OTHER_FILES = 64
"""Descriptors that the broker needs beside its connections."""
_MOST_CONNECTIONS = 16_384


def program() -> str | None:
    """Path of the mosquitto program, None where it is not installed."""
    search = os.pathsep.join((os.environ.get("PATH", os.defpath), *_PROGRAM_FOLDERS))
    return shutil.which("mosquitto", path=search)


def plugin() -> Path | None:
    """Path of the dynamic-security plugin, None where it is not installed."""
    folders = (Path(folder) for folder in _PLUGIN_FOLDERS)
    return next((p for f in folders for p in (f / _PLUGIN, *sorted(f.glob(f"*/{_PLUGIN}")))
                 if p.is_file()), None)  # fmt: skip


class Servant(NamedTuple):
    """The user as whom a gateway of root runs the broker."""

    name: str
    uid: int
    gid: int


def servant() -> Servant | None:
    """Mosquitto's own user, else ``nobody``; None where the gateway is not root.

    A broker listens to strangers, and must not be root because the gateway is.
    """
    if os.geteuid() != 0:
        return None
    for name in ("mosquitto", "nobody"):
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return Servant(name, found.pw_uid, found.pw_gid)
    return None


def give(folder: Path, user: Servant) -> None:
    """Give the servant the folder and its own files in it; our passwords stay ours."""
    own = ("mosquitto.conf", "dynamic-security.json", QUEUES, *_COPIES)
    for path in (folder, *(folder / name for name in own)):
        if path.exists():
            os.chown(path, user.uid, user.gid)


_COPIES = ("certificate.pem", "key.pem")


def _copy(path: str, copy: Path) -> str:
    """A copy that the servant can read; returns its name."""
    copy.touch(0o600)
    copy.write_bytes(Path(path).read_bytes())
    return copy.name


def copy_certificate(source: Source, folder: Path) -> tuple[str, str]:
    """The certificate and the key as Mosquitto can read them: copies where its user is another."""
    given = (source.certificate, source.key)
    user = servant()
    if user is None:
        return given
    certificate, key = (
        _copy(path, folder / name) for path, name in zip(given, _COPIES, strict=True)
    )
    give(folder, user)
    return certificate, key


def write_config(
    settings: Settings, folder: Path, plugin_path: Path, inner_port: int | None,
    source: Source | None,
) -> Path:  # fmt: skip
    """Write ``mosquitto.conf`` and return its path.

    ``source``: the certificate, where devices use TLS. ``inner_port``: then, of the gateway's own
    listener without TLS.
    """
    user = servant()
    # Its working folder: it may not enter those above.
    location = f"{folder}/" if user is None else "./"
    text = _CONFIG.format(
        plugin=plugin_path, location=location, user=user.name if user else "nobody",
        queues=QUEUES,
    )  # fmt: skip
    # Without a limit, idle connections take the last descriptor, and each refusal is a log line.
    open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    connections = max(100, min(_MOST_CONNECTIONS, open_files - _OTHER_FILES))
    listen = [listen_address("broker_listen", settings.broker_listen)]
    if settings.broker_plain_listen:
        listen.append(listen_address("broker_plain_listen", settings.broker_plain_listen))
    for number, (host, port) in enumerate(listen):
        text += _LISTENER.format(port=port, host=host, connections=connections // len(listen))
        if number == 0 and source is not None:
            certificate, key = copy_certificate(source, folder)
            text += f"certfile {certificate}\nkeyfile {key}\n"
    if source is not None:
        text += _LISTENER.format(port=inner_port, host="127.0.0.1", connections=100)
    path = folder / "mosquitto.conf"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return path


def write_security(folder: Path, logins: Iterable[Login]) -> None:
    """Write the plugin's start configuration: every login and its rules; all else is denied."""
    known = list(logins)
    config: Json = {
        "defaultACLAccess": {
            "publishClientSend": False, "publishClientReceive": False,
            "subscribe": False, "unsubscribe": True,
        },
        "clients": [_client(login) for login in known],
        "groups": [],
        "roles": [role(login) for login in known],
    }  # fmt: skip
    path = folder / "dynamic-security.json"
    path.touch(0o600)
    path.write_text(json.dumps(config), "utf-8")


def role(login: Login) -> Json:
    """The role of one login, under the same name."""
    acls = [_acl("publishClientSend", topic) for topic in login.write]
    for topic in login.read:
        kind = "subscribePattern" if topic.endswith(("#", "+")) else "subscribeLiteral"
        acls += [_acl(kind, topic), _acl("publishClientReceive", topic)]
    return {"rolename": login.user, "acls": acls}


def _acl(kind: str, topic: str) -> Json:
    return {"acltype": kind, "topic": topic, "priority": 0, "allow": True}


def _client(login: Login) -> Json:
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", login.password.encode(), salt, _ITERATIONS)
    return {
        "username": login.user,
        "password": base64.b64encode(digest).decode("ascii"),
        "salt": base64.b64encode(salt).decode("ascii"),
        "iterations": _ITERATIONS,
        "roles": [{"rolename": login.user}],
    }

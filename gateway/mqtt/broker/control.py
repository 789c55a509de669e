"""Adds and removes logins in a running Mosquitto through its dynamic-security plugin."""

import json
import threading
from collections.abc import Mapping

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from gateway.errors import BrokerError
from gateway.mqtt.broker.mosquitto import Json, role
from gateway.mqtt.broker.rules import ADMIN, Login

_CONTROL = "$CONTROL/dynamic-security/v1"
_ANSWER_S = 10.0


def changes(before: Mapping[str, Login], after: Mapping[str, Login]) -> list[Json]:
    """The plugin's commands that turn one set of logins into another.

    The plugin disconnects a client that is deleted or whose password changes.
    """
    commands: list[Json] = []
    for user in before.keys() - after.keys():
        commands.append({"command": "deleteClient", "username": user})
        commands.append({"command": "deleteRole", "rolename": user})
    for user in after.keys() - before.keys():
        login = after[user]
        commands.append({"command": "createRole", **role(login)})
        known = {"username": user, "password": login.password, "roles": [{"rolename": user}]}
        commands.append({"command": "createClient", **known})
    for user in before.keys() & after.keys():
        if before[user].password != after[user].password:
            changed = {"username": user, "password": after[user].password}
            commands.append({"command": "setClientPassword", **changed})
    return commands


def send(address: tuple[str, int], admin: Login, commands: list[Json]) -> None:
    """Run the commands. Raises BrokerError when any of them fails."""
    answered = threading.Event()
    answers: list[Json] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=ADMIN)
    client.username_pw_set(admin.user, admin.password)

    def subscribe(client: paho.Client, *_given: object) -> None:
        client.subscribe(f"{_CONTROL}/response", 1)

    def send_commands(client: paho.Client, *_given: object) -> None:
        client.publish(_CONTROL, json.dumps({"commands": commands}), qos=1)

    def receive(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        answers.extend(json.loads(message.payload)["responses"])
        answered.set()

    client.on_connect, client.on_subscribe, client.on_message = (
        subscribe, send_commands, receive,
    )  # fmt: skip
    try:
        client.connect(*address)
        client.loop_start()
        in_time = answered.wait(_ANSWER_S)
    except OSError as error:
        raise BrokerError(f"the private broker does not take new logins: {error}") from error
    finally:
        client.disconnect()
        client.loop_stop()
    failed = [answer for answer in answers if "error" in answer]
    if not in_time or failed:
        reason = failed[0]["error"] if failed else f"no answer in {_ANSWER_S:.0f} s"
        raise BrokerError(f"the private broker did not take new logins: {reason}")

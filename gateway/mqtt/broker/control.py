"""Enrols and revokes devices in a running Mosquitto, by its dynamic-security plugin."""

import json
import threading
from collections.abc import Mapping
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from gateway.errors import BrokerError
from gateway.mqtt.broker.mosquitto import Json, role
from gateway.mqtt.broker.rules import ADMIN, Login

_CONTROL = "$CONTROL/dynamic-security/v1"
_ANSWER_S = 10.0


def changes(before: Mapping[str, Login], after: Mapping[str, Login]) -> list[Json]:
    """The plugin's commands that lead from one set of logins to another.

    A deleted client, or one whose password changes, is disconnected by the plugin.
    """
    commands: list[Json] = []
    for user in before.keys() - after.keys():
        commands.append({"command": "deleteClient", "username": user})
        commands.append({"command": "deleteRole", "rolename": user})
    for user in after.keys() - before.keys():
        login = after[user]
        commands.append({"command": "createRole", **role(login)})
        commands.append(
            {
                "command": "createClient",
                "username": user,
                "password": login.password,
                "roles": [{"rolename": user}],
            }
        )
    for user in before.keys() & after.keys():
        if before[user].password != after[user].password:
            commands.append(
                {
                    "command": "setClientPassword",
                    "username": user,
                    "password": after[user].password,
                }
            )
    return commands


def send(address: tuple[str, int], admin: Login, commands: list[Json]) -> None:
    """Carry out the commands. Raises BrokerError, also when only one of them failed."""
    answered = threading.Event()
    answers: list[Json] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=ADMIN)
    client.username_pw_set(admin.user, admin.password)

    def subscribe(client: paho.Client, *_given: Any) -> None:
        client.subscribe(f"{_CONTROL}/response", 1)

    def ask(client: paho.Client, *_given: Any) -> None:
        client.publish(_CONTROL, json.dumps({"commands": commands}), qos=1)

    def hear(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        answers.extend(json.loads(message.payload)["responses"])
        answered.set()

    client.on_connect, client.on_subscribe, client.on_message = subscribe, ask, hear
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
        said = failed[0]["error"] if failed else f"no answer in {_ANSWER_S:.0f} s"
        raise BrokerError(f"the private broker did not take new logins: {said}")

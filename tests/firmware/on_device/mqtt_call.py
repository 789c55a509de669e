"""One exchange with a broker, its outcome printed as JSON; arguments are a JSON object on stdin.

``do`` is ``window`` (publish ``count`` messages, await each PUBACK), ``retained`` (what is
retained on ``topic``), ``connect``.
"""

import json
import sys
import time

from lib.mqtt import Client, MqttError


def main():
    given = json.load(sys.stdin)
    client = Client(
        given["host"],
        given["port"],
        "k7f3q5",
        given.get("login"),
        given.get("password"),
        ca=given.get("ca"),
        will=("noria/1/k7f3q5/status", b'{"s":"lost"}'),
        timeout_s=given.get("timeout_s", 2),
    )
    start = time.ticks_ms()
    result = {}
    try:
        client.connect()
        result = {"window": window, "retained": retained, "connect": connected}[given["do"]](
            client, given
        )
        if given.get("leave", True):
            client.disconnect()
    except MqttError as error:
        result["error"] = str(error)
    result["ms"] = time.ticks_diff(time.ticks_ms(), start)
    print(json.dumps(result))


def connected(client, given):
    client.ping()
    return {"ok": True}


def window(client, given):
    waiting, acked = set(), 0
    for number in range(given["count"]):
        while len(waiting) >= 8:
            acked += _pump(client, waiting)
        waiting.add(client.publish(given["topic"], b"%d" % number, qos=1))
    while waiting:
        acked += _pump(client, waiting)
    return {"acked": acked}


def _pump(client, waiting):
    event = client.receive(2000)
    if event is None:
        raise MqttError("no PUBACK")
    waiting.discard(event[1])
    return 1


def retained(client, given):
    client.subscribe([given["topic"]])
    client.ping()
    received = []
    while True:
        event = client.receive(given.get("wait_ms", 0))
        if event is None:
            return {"received": received}
        received.append([event[1], bytes(event[2]).decode(), event[3]])


main()

"""The last messages of a third-party device, by whose bodies a redelivery is recognised."""

import sqlite3

from gateway.wire import FEED_ERA

RECENT = 32
"""A broker redelivers at most its inflight window (Mosquitto: 20)."""
_LAST = "SELECT entry FROM {} WHERE device = ? ORDER BY era DESC, boot DESC, seq DESC LIMIT ?"
_FILED, _UNFILED = _LAST.format("message"), _LAST.format("unfiled")


def bodies(connection: sqlite3.Connection, device: str) -> list[bytes]:
    """The bodies of the device's last messages, once all are filed."""
    query = f"SELECT body FROM body WHERE entry IN ({_FILED})"  # noqa: S608 - a constant
    return [body for (body,) in connection.execute(query, (device, RECENT))]


def entries(connection: sqlite3.Connection) -> set[int]:
    """All entries whose bodies may be needed; they stay when their month is archived."""
    devices = connection.execute("SELECT device FROM era WHERE era = ?", (FEED_ERA,)).fetchall()
    return {
        entry
        for (device,) in devices
        for last in (_FILED, _UNFILED)
        for (entry,) in connection.execute(last, (device, RECENT))
    }

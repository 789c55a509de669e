"""Every InfluxQL query that Grafana asks, in one place; 1.8, 2.x and 3 Core serve it alike.

``$timeFilter`` and ``$__interval`` are Grafana's. Measurements: ``reading`` (gateway.stores),
``presence``, ``event``, ``incident`` (gateway.projections.figures). Tags are random ids.
"""

LEVELS = (
    'SELECT mean("volume_l") FROM "reading" WHERE $timeFilter '
    'GROUP BY time($__interval), "tank" fill(none)'
)
"""Litres over time, a line for each tank."""

NOW = (
    'SELECT "volume_l", "pct", "state", "presence", "heard" * 1000 AS "heard" FROM '
    '(SELECT last("silent") AS "silent", "volume_l", "pct", "state", "presence", "heard" '
    'FROM "presence" WHERE $timeFilter GROUP BY "tank") GROUP BY "tank"'
)
"""Every tank as it was last known: an old figure is shown with its age, never as now."""

SILENT = (
    'SELECT "presence", "heard" * 1000 AS "heard", "due" * 1000 AS "due", "battery_mv" FROM '
    '(SELECT last("silent") AS "silent", "presence", "heard", "due", "battery_mv" '
    'FROM "presence" WHERE $timeFilter GROUP BY "tank", "device") '
    'WHERE "silent" = 1 GROUP BY "tank", "device"'
)
"""Devices that broke their promise to speak."""

SILENT_COUNT = (
    'SELECT sum("silent") FROM (SELECT last("silent") AS "silent" FROM "presence" '
    'WHERE $timeFilter GROUP BY "tank", "device")'
)
"""How many; one series, so that no vanished device can end an alert by vanishing."""

INCIDENTS = (
    'SELECT "kind", "open", "probability", "claimed", "closed" * 1000 AS "closed", "tank" '
    'FROM "incident" WHERE $timeFilter'
)
"""What happened in the shown time, by the moment it was opened."""

INCIDENT_MARKS = 'SELECT "kind" FROM "incident" WHERE $timeFilter'
"""The same as marks on the charts."""


DRAWN_PER_DAY = (
    'SELECT sum("litres") FROM "event" WHERE "kind" = \'draw\' AND $timeFilter '
    "GROUP BY time(1d), \"tank\" fill(0) tz('{timezone}')"
)
"""Litres drawn on each day of a time zone, by tank; refills, drains and slashes are not in it."""

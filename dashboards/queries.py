"""Every InfluxQL query of the dashboard and the alert rule, for InfluxDB 1.8, 2.x and 3 Core.

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
"""The last state of every tank; its age is shown with it."""

SILENT = (
    'SELECT "presence", "heard" * 1000 AS "heard", "due" * 1000 AS "due", "battery_mv" FROM '
    '(SELECT last("silent") AS "silent", "presence", "heard", "due", "battery_mv" '
    'FROM "presence" WHERE $timeFilter GROUP BY "tank", "device") '
    'WHERE "silent" = 1 GROUP BY "tank", "device"'
)
"""Devices whose announced message is overdue."""

SILENT_COUNT = (
    'SELECT sum("silent") FROM (SELECT last("silent") AS "silent" FROM "presence" '
    'WHERE $timeFilter GROUP BY "tank", "device")'
)
"""The number of them, as one series: a device that vanishes cannot resolve the alert."""

INCIDENTS = (
    'SELECT "kind", "open", "probability", "claimed", "closed" * 1000 AS "closed", "tank" '
    'FROM "incident" WHERE $timeFilter'
)
"""Incidents opened in the shown time."""

INCIDENT_MARKS = 'SELECT "kind" FROM "incident" WHERE $timeFilter'
"""The same, as marks on the charts."""


DRAWN_PER_DAY = (
    'SELECT sum("litres") FROM "event" WHERE "kind" = \'draw\' AND $timeFilter '
    "GROUP BY time(1d), \"tank\" fill(0) tz('{timezone}')"
)
"""Litres drawn on each day of a time zone, by tank, without refills, drains and slashes."""

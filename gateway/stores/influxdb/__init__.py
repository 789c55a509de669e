"""Readings in InfluxDB 1.8+, 2.x (and 3 Core, not tested): line protocol in, InfluxQL out."""

from gateway.stores.influxdb.access import Access
from gateway.stores.influxdb.store import InfluxStore

__all__ = ["Access", "InfluxStore"]

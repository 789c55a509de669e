"""Grafana as code: one dashboard, its data source, one alert rule, and how they get there."""
